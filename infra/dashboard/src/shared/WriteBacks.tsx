import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import type { Schemas } from "../api/client";
import { texts } from "../texts";
import { moment } from "./format";
import { PageLink } from "./links";
import { moneyColumn, orNothing, WriteBackState } from "./values";

type WriteBack = Schemas["WriteBackView"];
/** A write-back beside what lies at its other end: an invoice, or a payment of the platform. */
type Part = { name: string; href: string; writeBack: WriteBack };

const words = texts.platformPayments;

/** How far parts of payments are into ConnectWise. */
export function WriteBacks({ title, parts }: { title: string; parts: Part[] }) {
  return (
    <Table
      header={<Header variant="h2">{title}</Header>}
      items={parts}
      empty={words.noWriteBacks}
      enableKeyboardNavigation
      columnDefinitions={[
        {
          id: "name",
          header: words.leadsTo,
          cell: ({ href, name }) => <PageLink href={href}>{name}</PageLink>,
          isRowHeader: true,
        },
        {
          id: "target",
          header: words.target,
          cell: ({ writeBack }) => words.targets[writeBack.target],
        },
        {
          id: "state",
          header: words.writeBack,
          cell: ({ writeBack }) => <WriteBackState state={writeBack.state} />,
        },
        { id: "why", header: words.why, cell: ({ writeBack }) => <Why writeBack={writeBack} /> },
        {
          id: "psa",
          header: texts.problems.connectwisePayment,
          cell: ({ writeBack }) => orNothing(writeBack.connectwise_payment_id),
        },
        {
          id: "look",
          header: words.nextLook,
          cell: ({ writeBack }) => moment(writeBack.next_look_at),
        },
        moneyColumn<Part>("amount", words.amount, ({ writeBack }) => writeBack.amount),
      ]}
    />
  );
}

/** Why a payment waits for a person, leading to what he may do. */
function Why({ writeBack: { detail, problem_id } }: { writeBack: WriteBack }) {
  return problem_id ? (
    <PageLink href={`/problems/${problem_id}`}>{detail ?? texts.problems.problem}</PageLink>
  ) : (
    orNothing(detail)
  );
}
