import type { StreamStats } from "@shared/api/types";
import type { Chat } from "@shared/chat/chat";
import { useChatView } from "@shared/chat/useChat";
import { formatBitrate, formatDuration } from "@shared/format/measures";
import { formatMoney } from "@shared/format/money";
import type { PublisherView } from "@shared/rtc/publisher";
import { Button } from "antd";
import { lazy, Suspense, useState } from "react";
import { Figure } from "./Figure";
import { healthNote } from "./healthNote";
import { useEarnings } from "./useEarnings";

const WalletDrawer = lazy(() => import("@shared/wallet/WalletDrawer"));

interface Props {
  stats: StreamStats | null;
  broadcast: PublisherView;
  chat: Chat;
}

export function Figures({ stats, broadcast, chat }: Props) {
  const { room } = useChatView(chat);
  const wallet = useEarnings(chat);
  const [statement, setStatement] = useState<"never" | "open" | "closed">("never");
  const { figures } = broadcast;
  const live = stats !== null && stats.state !== "offline";
  const receivedBps = stats?.tracks.reduce((sum, track) => sum + track.bitrate_bps, 0) ?? 0;
  const note = healthNote(figures, stats);
  return (
    <section className="figures panel" aria-label="Figures">
      <dl>
        <Figure name="Watching" value={String(live ? stats.viewers : 0)} testId="viewer-count" />
        <Figure name="In chat" value={room.viewers === null ? "–" : String(room.viewers)} testId="chat-count" />
        <Figure name="Uptime" value={live ? formatDuration(stats.uptime_s) : "–"} testId="server-uptime" />
        <Figure name="Bitrate" value={live || figures ? formatBitrate(figures?.bitrateBps ?? receivedBps) : "–"} testId="bitrate" />
        <Figure name="Picture" testId="picture"
          value={figures?.width && figures.height ? `${figures.width} × ${figures.height}` : "–"} />
        <Figure name="Codec" testId="codec"
          value={figures?.codec ?? stats?.tracks.find(({ kind }) => kind === "video")?.codec ?? "–"} />
      </dl>
      <div className="figures-earnings">
        <span>
          <span className="muted">Earnings</span><br />
          <strong className="numbers" data-testid="earnings">
            {wallet ? formatMoney(wallet.earnings_minor + wallet.earnings_available_minor, wallet.currency) : "–"}
          </strong>
        </span>
        <Button onClick={() => setStatement("open")} data-testid="earnings-statement">Statement</Button>
      </div>
      <p className="figures-note muted" role="status">{note}</p>
      {statement !== "never" && (
        <Suspense fallback={null}>
          <WalletDrawer open={statement === "open"} onClose={() => setStatement("closed")} account="earnings" />
        </Suspense>
      )}
    </section>
  );
}
