import { CursorButtons } from "@shared/ui/CursorButtons";
import { Problem } from "@shared/ui/Problem";
import type { CursorPages } from "@shared/ui/useCursor";
import { Table, type TableProps } from "antd";

interface Props<Item extends object> {
  pages: CursorPages<Item>;
  columns: TableProps<Item>["columns"];
  rowKey: keyof Item & string;
  empty: string;
  testId: string;
}

/** A list of the server as a table with its pages, its error and its emptiness. */
export function ListTable<Item extends object>({ pages, columns, rowKey, empty, testId }: Props<Item>) {
  return (
    <>
      {pages.error ? <Problem error={pages.error} retry={pages.reload} /> : null}
      <Table<Item> size="middle" rowKey={rowKey} columns={columns ?? []} dataSource={pages.items ?? []} pagination={false}
        loading={pages.loading} locale={{ emptyText: empty }} scroll={{ x: "max-content" }} data-testid={testId} />
      <CursorButtons pages={pages} />
    </>
  );
}
