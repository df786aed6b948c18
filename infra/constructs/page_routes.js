// Runs at CloudFront before a file is looked for: an address that names no file is one of the
// page's own routes, and all of those are the one document.
function handler(event) {
  var request = event.request;
  var last = request.uri.split("/").pop();
  if (last.indexOf(".") === -1) {
    request.uri = "/index.html";
  }
  return request;
}
