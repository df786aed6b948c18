import { texts } from "../texts";
import { useRead } from "./change";
import { PageLink } from "./links";

export const useCustomer = (id: string) =>
  useRead(["customers", "one", id], (api) =>
    api.GET("/v1/customers/{customer_id}", { params: { path: { customer_id: id } } }),
  );

/** A customer by name, leading to him. */
export function CustomerName({ id }: { id: string }) {
  const { data } = useCustomer(id);
  return <PageLink href={`/customers/${id}`}>{data?.name ?? texts.customers.customer}</PageLink>;
}
