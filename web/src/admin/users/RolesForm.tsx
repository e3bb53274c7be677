import { setRoles } from "@shared/api/admin";
import { messageFor } from "@shared/api/problem";
import { ROLES, type Role, type User } from "@shared/api/types";
import { Alert, Button, Checkbox } from "antd";
import { useState } from "react";

export function RolesForm({ user, changed }: { user: User; changed: () => void }) {
  const [roles, choose] = useState<Role[]>(user.roles);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const same = roles.length === user.roles.length && roles.every((role) => user.roles.includes(role));
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      await setRoles(user.user_id, roles);
      changed();
    } catch (refusal) {
      setError(messageFor(refusal));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section>
      <h2>Roles</h2>
      <div className="drawer-row">
        <Checkbox.Group<Role> value={roles} onChange={choose}
          options={ROLES.map((role) => ({ value: role, label: <span data-testid={`role-${role}`}>{role}</span> }))} />
        <Button onClick={() => void save()} loading={busy} disabled={same || roles.length === 0} data-testid="save-roles">
          Save roles
        </Button>
      </div>
      {error && <Alert type="error" showIcon title={error} />}
    </section>
  );
}
