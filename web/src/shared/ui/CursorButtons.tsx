import { LeftOutlined, RightOutlined } from "@ant-design/icons";
import { Button } from "antd";
import type { CursorPages } from "./useCursor";

/** Newer and older pages; absent when there is one page only. */
export function CursorButtons<Item>({ pages }: { pages: CursorPages<Item> }) {
  if (pages.previous === null && pages.next === null) return null;
  return (
    <nav className="cursor-buttons" aria-label="Pages of the list">
      <Button icon={<LeftOutlined />} disabled={pages.previous === null} onClick={pages.previous ?? undefined}
        data-testid="page-previous">Previous</Button>
      <Button icon={<RightOutlined />} iconPlacement="end" disabled={pages.next === null}
        onClick={pages.next ?? undefined} data-testid="page-next">Next</Button>
    </nav>
  );
}
