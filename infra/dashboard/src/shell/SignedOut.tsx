import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import { texts } from "../texts";

export function SignedOut() {
  const action = (
    <Button variant="primary" href="/">
      {texts.user.signIn}
    </Button>
  );
  return (
    <main>
      <Box margin="xxl">
        <Alert type="success" header={texts.user.signedOut} action={action} />
      </Box>
    </main>
  );
}
