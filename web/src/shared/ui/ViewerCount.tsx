import { EyeOutlined } from "@ant-design/icons";
import { formatCount } from "../format/measures";

export function ViewerCount({ count, testId = "viewer-count" }: { count: number; testId?: string }) {
  return (
    <span className="numbers" title={`${count} watching`}>
      <EyeOutlined aria-hidden /> <span data-testid={testId}>{formatCount(count)}</span>
      <span className="visually-hidden"> watching</span>
    </span>
  );
}
