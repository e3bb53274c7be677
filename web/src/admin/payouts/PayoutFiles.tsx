import { DownloadOutlined, UploadOutlined } from "@ant-design/icons";
import { batchFile, makeBatch, takeResults } from "@shared/api/payouts";
import { hasCode, messageFor } from "@shared/api/problem";
import { newUuid } from "@shared/uuid";
import { Alert, Button, Upload } from "antd";
import { useRef, useState } from "react";

const TRIES = 20;
const PAUSE_MS = 1_000;

interface Outcome {
  type: "success" | "warning" | "error";
  text: string;
}

/** Payouts out in a file for the bank, and its results in. */
export function PayoutFiles({ changed }: { changed: () => void }) {
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  /** A batch that was made but whose file has not come is asked for again under its id. */
  const unfinished = useRef<string | null>(null);
  /** A file whose report has not come is sent again under its id. */
  const untaken = useRef<{ key: string; importId: string } | null>(null);
  const run = async (work: () => Promise<Outcome>) => {
    setBusy(true);
    setOutcome(null);
    try {
      setOutcome(await work());
    } catch (refusal) {
      setOutcome({ type: "error", text: messageFor(refusal) });
    } finally {
      setBusy(false);
      changed();
    }
  };
  const fetchFile = () => run(async () => {
    unfinished.current ??= newUuid();
    const batchId = unfinished.current;
    await makeBatch(batchId);
    const file = await whenReady(batchId);
    unfinished.current = null;
    save(file, `payouts-${batchId}.csv`);
    const { lines } = await makeBatch(batchId);
    return { type: "success", text: lines === 1 ? "One payout is in the file." : `${lines ?? 0} payouts are in the file.` };
  });
  const takeFile = (file: File) => run(async () => {
    const key = `${file.name} ${file.size} ${file.lastModified}`;
    if (untaken.current?.key !== key) untaken.current = { key, importId: newUuid() };
    const { news, known, refused } = await takeResults(untaken.current.importId, file);
    untaken.current = null;
    const [first] = refused;
    const text = `${news} applied, ${known} known before, ${refused.length} refused.`;
    return first ? { type: "warning", text: `${text} ${first.message}` } : { type: "success", text };
  });
  return (
    <section className="payout-files" aria-label="Files of payouts">
      <div className="drawer-row">
        <Button icon={<DownloadOutlined />} loading={busy} onClick={() => void fetchFile()} data-testid="make-batch">
          File of what is to be paid
        </Button>
        <Upload accept=".csv,text/csv" showUploadList={false} disabled={busy} beforeUpload={(file) => {
          void takeFile(file);
          return false;
        }}>
          <Button icon={<UploadOutlined />} disabled={busy} data-testid="take-results">File of results</Button>
        </Upload>
      </div>
      {outcome && <Alert type={outcome.type} showIcon closable title={outcome.text} data-testid="files-outcome" />}
    </section>
  );
}

/** The file, once all of its payouts are booked. */
async function whenReady(batchId: string): Promise<Blob> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await batchFile(batchId);
    } catch (error) {
      if (tries === TRIES || !hasCode(error, "batch_not_ready")) throw error;
      await new Promise((resolve) => {
        setTimeout(resolve, PAUSE_MS);
      });
    }
  }
}

function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
