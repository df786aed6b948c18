import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import type { ReactNode } from "react";

interface Props {
  title: ReactNode;
  about?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
}

/** A part of a screen with a heading of its own. */
export function Panel({ title, about, actions, children }: Props) {
  return (
    <Container
      header={
        <Header variant="h2" description={about} actions={actions}>
          {title}
        </Header>
      }
    >
      {children}
    </Container>
  );
}
