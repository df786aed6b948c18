import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { contentOf } from "../api/client";
import { useChange, useRead } from "../shared/change";
import { PageLink } from "../shared/links";
import { Loaded } from "../shared/record";
import { WriteBacks } from "../shared/WriteBacks";
import { texts } from "../texts";

const words = texts.standing;

/** Why an invoice stands as it does, what to do next, and the platform's payments of it. */
export function Standing({ invoice, isMirrored }: { invoice: string; isMirrored: boolean }) {
  const path = { invoice_id: invoice };
  const query = useRead(["invoices", "standing", invoice], (api) =>
    api.GET("/v1/invoices/{invoice_id}/standing", { params: { path } }),
  );
  const fetchAgain = useChange(
    (api) => contentOf(api.POST("/v1/invoices/{invoice_id}/fetch", { params: { path } })),
    { told: () => words.asked },
  );
  return (
    <Loaded query={query}>
      {({ sentence, next_step, problems, platform_payments }) => (
        <SpaceBetween size="l">
          <Alert
            type={problems.length > 0 ? "warning" : "info"}
            header={sentence}
            action={
              isMirrored && (
                <Button loading={fetchAgain.isPending} onClick={() => fetchAgain.mutate()}>
                  {words.fetchAgain}
                </Button>
              )
            }
          >
            {next_step}
            {problems.map(({ id, title, detail }) => (
              <div key={id}>
                <PageLink href={`/problems/${id}`}>{title}</PageLink>: {detail}
              </div>
            ))}
          </Alert>
          <WriteBacks
            title={words.payments}
            parts={platform_payments.map(({ payment_id, write_back }) => ({
              name: payment_id,
              href: `/payments/${payment_id}`,
              writeBack: write_back,
            }))}
          />
        </SpaceBetween>
      )}
    </Loaded>
  );
}
