import type { AlertReason } from "@shared/api/types";
import { asWords } from "@shared/format/measures";
import { Score } from "./Score";
import { namedFigure } from "./figureText";

export function AlertReasons({ reasons }: { reasons: AlertReason[] }) {
  return (
    <section>
      <h2>Why</h2>
      {reasons.map((reason) => (
        <div key={reason.rule} className="reason" data-testid="alert-reason">
          <div className="drawer-row">
            <strong>{asWords(reason.rule)}</strong>
            <Score value={reason.score} />
          </div>
          <p>{reason.explanation}</p>
          <dl className="reason-figures numbers">
            {Object.entries(reason.figures).map(([key, value]) => <NamedFigure key={key} {...namedFigure(key, value)} />)}
          </dl>
        </div>
      ))}
    </section>
  );
}

function NamedFigure({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <dt className="muted">{name}</dt>
      <dd>{text}</dd>
    </div>
  );
}
