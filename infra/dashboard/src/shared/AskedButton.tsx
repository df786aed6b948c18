import Box from "@cloudscape-design/components/box";
import Button, { type ButtonProps } from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { texts } from "../texts";

const Modal = lazy(() => import("@cloudscape-design/components/modal"));

interface Props extends Pick<ButtonProps, "variant" | "loading" | "disabled"> {
  label: string;
  /** What would happen, with the name of what it happens to. */
  question: ReactNode;
  onConfirm: () => void;
}

/** A button that asks before it acts; Esc, or a click elsewhere, leaves all as it is. */
export function AskedButton({ label, question, onConfirm, ...look }: Props) {
  const [isAsking, setAsking] = useState(false);
  const close = () => setAsking(false);
  const confirm = () => {
    close();
    onConfirm();
  };
  return (
    <>
      <Button {...look} onClick={() => setAsking(true)}>
        {label}
      </Button>
      {isAsking && (
        <Suspense fallback={null}>
          <Modal
            visible
            header={label}
            closeAriaLabel={texts.common.cancel}
            onDismiss={close}
            footer={
              <Box float="right">
                <SpaceBetween direction="horizontal" size="xs">
                  <Button onClick={close}>{texts.common.cancel}</Button>
                  <Button variant="primary" onClick={confirm}>
                    {label}
                  </Button>
                </SpaceBetween>
              </Box>
            }
          >
            {question}
          </Modal>
        </Suspense>
      )}
    </>
  );
}
