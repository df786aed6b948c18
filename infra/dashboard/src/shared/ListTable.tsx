import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import type { ReactNode } from "react";
import { texts } from "../texts";
import { Failure } from "./Failure";
import type { Pages } from "./pages";
import { Lines } from "./record";

interface Props<T> {
  title: string;
  about?: string;
  empty: ReactNode;
  pages: Pages<T>;
  columns: TableProps.ColumnDefinition<T>[];
  filter?: ReactNode;
  actions?: ReactNode;
  /** What stands between filters and rows, such as sums. */
  summary?: ReactNode;
  /** Rows that may be chosen for an action, with names for those who hear the page. */
  selection?: Pick<
    TableProps<T>,
    "selectedItems" | "onSelectionChange" | "isItemDisabled" | "ariaLabels"
  >;
  sorting?: Pick<TableProps<T>, "sortingColumn" | "sortingDescending" | "onSortingChange">;
}

/** A list of the API as a table: its title, filters, rows and pages. */
export function ListTable<T extends { id: string }>(props: Props<T>) {
  const { title, about, empty, pages, columns, filter, actions, summary, selection, sorting } =
    props;
  return (
    <SpaceBetween size="m">
      {pages.error && <Failure error={pages.error} onRetry={pages.refresh} />}
      {pages.isPartial && <Alert type="info">{texts.common.partial}</Alert>}
      {summary}
      <Table<T>
        {...selection}
        {...sorting}
        selectionType={selection && "multi"}
        variant="full-page"
        stickyHeader
        wrapLines
        enableKeyboardNavigation
        items={pages.items}
        trackBy="id"
        columnDefinitions={columns}
        empty={pages.isLoading && !pages.error ? <Lines /> : <Box textAlign="center">{empty}</Box>}
        filter={filter}
        header={
          <Header
            variant="awsui-h1-sticky"
            description={about}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button
                  iconName="refresh"
                  ariaLabel={texts.common.refresh}
                  onClick={pages.refresh}
                />
                {actions}
              </SpaceBetween>
            }
          >
            {title}
          </Header>
        }
        pagination={
          <Pagination
            currentPageIndex={pages.page}
            pagesCount={Math.max(pages.known, 1)}
            openEnd={pages.hasMore}
            onChange={({ detail }) => pages.goTo(detail.currentPageIndex)}
            onNextPageClick={({ detail }) => pages.goTo(detail.requestedPageIndex)}
          />
        }
      />
    </SpaceBetween>
  );
}
