import Alert from "@cloudscape-design/components/alert";
import { PageLink } from "../shared/links";
import { texts } from "../texts";

export function NotFound() {
  return (
    <Alert type="info" header={texts.common.notFound}>
      <PageLink href="/overview">{texts.common.home}</PageLink>
    </Alert>
  );
}
