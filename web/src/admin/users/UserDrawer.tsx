import { reinstateUser, suspendUser } from "@shared/api/admin";
import { messageFor } from "@shared/api/problem";
import type { User } from "@shared/api/types";
import { useSession } from "@shared/session/session";
import { Alert, Button, Drawer, Tag } from "antd";
import { useState } from "react";
import { ReasonDialog } from "../ReasonDialog";
import { GrantForm } from "./GrantForm";
import { RolesForm } from "./RolesForm";
import { UserHolds } from "./UserHolds";
import { UserStatement } from "./UserStatement";

interface Props {
  user: User;
  changed: () => void;
  close: () => void;
}

export function UserDrawer({ user, changed, close }: Props) {
  const isSelf = useSession((state) => state.user?.user_id === user.user_id);
  const [suspending, setSuspending] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [grants, setGrants] = useState(0);
  const suspend = async (reason: string) => {
    await suspendUser(user.user_id, reason);
    setSuspending(false);
    changed();
  };
  const reinstate = async () => {
    setError(null);
    try {
      await reinstateUser(user.user_id);
      changed();
    } catch (refusal) {
      setError(messageFor(refusal));
    }
  };
  return (
    <Drawer open title={user.display_name} onClose={close} size={560} data-testid="user-drawer">
      <div className="drawer-parts">
        <section>
          <p>{user.email}</p>
          <p className="muted"><code>{user.user_id}</code></p>
          <div className="drawer-row">
            <Tag color={user.status === "active" ? "success" : "error"} data-testid="user-status">{user.status}</Tag>
            {user.status === "active"
              ? <Button danger disabled={isSelf} onClick={() => setSuspending(true)} data-testid="suspend">Suspend</Button>
              : <Button onClick={() => void reinstate()} data-testid="reinstate">Reinstate</Button>}
          </div>
          {error && <Alert type="error" showIcon title={error} />}
        </section>
        <RolesForm user={user} changed={changed} />
        <GrantForm user={user} granted={() => setGrants(grants + 1)} />
        <UserHolds userId={user.user_id} />
        <UserStatement userId={user.user_id} version={grants} />
      </div>
      {suspending && (
        <ReasonDialog title={`Suspend ${user.display_name}?`} action="Suspend" onCancel={() => setSuspending(false)}
          text="Signed-in sessions, streams and chats of this person end at once." onConfirm={suspend} />
      )}
    </Drawer>
  );
}
