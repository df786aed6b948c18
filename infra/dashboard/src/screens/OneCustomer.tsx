import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useParams } from "wouter";
import type { Schemas } from "../api/client";
import { useCustomer } from "../shared/customers";
import { moment } from "../shared/format";
import { useFollow } from "../shared/links";
import { Loaded } from "../shared/record";
import { CopiedId, orNothing } from "../shared/values";
import { texts } from "../texts";

type Customer = Schemas["CustomerView"];

const words = texts.customers;

export default function OneCustomer() {
  const { id } = useParams<{ id: string }>();
  const query = useCustomer(id);
  return <Loaded query={query}>{(customer) => <Shown customer={customer} />}</Loaded>;
}

function Shown({ customer }: { customer: Customer }) {
  const follow = useFollow();
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        actions={
          <Button href={`/invoices?customer=${customer.id}`} onFollow={follow}>
            {words.invoices}
          </Button>
        }
      >
        {customer.name}
      </Header>
      {customer.outside_filters && (
        <Alert type="info" header={texts.invoices.outside}>
          {texts.invoices.outsideAbout}
        </Alert>
      )}
      <Container>
        <KeyValuePairs columns={3} items={facts(customer)} />
      </Container>
    </SpaceBetween>
  );
}

function facts(customer: Customer) {
  const { address, archive } = customer;
  const lines = [address.line_1, address.line_2, address.city, address.state, address.zip];
  const archived = archive && `${words.isArchived}, ${moment(archive.at)}: `;
  return [
    {
      label: words.state,
      value: archive ? archived + texts.invoices.archiveReasons[archive.reason] : words.active,
    },
    { label: words.identifier, value: orNothing(customer.identifier) },
    { label: words.status, value: orNothing(customer.status?.name) },
    { label: words.types, value: orNothing(customer.types.map(({ name }) => name).join(", ")) },
    { label: words.territory, value: orNothing(customer.territory?.name) },
    { label: words.terms, value: orNothing(customer.billing_terms?.name) },
    { label: words.emails, value: orNothing(customer.emails.join(", ")) },
    { label: words.copies, value: orNothing(customer.cc_emails.join(", ")) },
    { label: words.phone, value: orNothing(customer.phone) },
    { label: words.account, value: orNothing(customer.account_number) },
    {
      label: words.address,
      value: orNothing([...lines, address.country].filter(Boolean).join(", ")),
    },
    { label: texts.common.id, value: <CopiedId id={customer.id} /> },
  ];
}
