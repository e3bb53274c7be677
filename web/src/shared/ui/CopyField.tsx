import { CheckOutlined, CopyOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useEffect, useState } from "react";
import { copyText } from "./copyText";
import "./copy.css";

interface Props {
  label: string;
  value: string;
  testId: string;
  /** Long values wrap instead of being cut. */
  wrap?: boolean;
}

export function CopyField({ label, value, testId, wrap = false }: Props) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => setCopied(await copyText(value));
  return (
    <div className="copy">
      <span className="copy-label">{label}</span>
      <div className="copy-row">
        <code className={wrap ? "copy-value copy-wrap" : "copy-value"} data-testid={testId}>{value}</code>
        <Button icon={copied ? <CheckOutlined /> : <CopyOutlined />} onClick={() => void copy()}
          aria-label={`Copy ${label}`} data-testid={`${testId}-copy`} />
      </div>
      <span className="visually-hidden" role="status">{copied ? `${label} copied` : ""}</span>
    </div>
  );
}
