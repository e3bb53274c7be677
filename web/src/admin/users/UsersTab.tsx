import { users } from "@shared/api/admin";
import type { Role, User } from "@shared/api/types";
import { formatDateTime } from "@shared/format/measures";
import { useCursor } from "@shared/ui/useCursor";
import { Button, Tag, type TableProps } from "antd";
import { useState } from "react";
import { ListTable } from "../ListTable";
import { UserDrawer } from "./UserDrawer";
import { UserSearch } from "./UserSearch";

export function UsersTab() {
  const [query, setQuery] = useState("");
  const [openedId, setOpenedId] = useState<string | null>(null);
  const pages = useCursor((cursor, signal) => users(query, cursor, signal), query);
  const opened = pages.items?.find(({ user_id }) => user_id === openedId) ?? null;
  const columns: TableProps<User>["columns"] = [
    {
      title: "Name", key: "name",
      render: (_, user) => (
        <Button type="link" size="small" className="cell-link" onClick={() => setOpenedId(user.user_id)}
          data-testid="open-user">{user.display_name}</Button>
      ),
    },
    { title: "Email", dataIndex: "email" },
    { title: "Roles", key: "roles", render: (_, { roles }) => <RoleTags roles={roles} /> },
    {
      title: "Status", key: "status",
      render: (_, { status }) => <Tag color={status === "active" ? "success" : "error"}>{status}</Tag>,
    },
    { title: "Since", key: "since", render: (_, { created_at }) => formatDateTime(created_at) },
  ];
  return (
    <>
      <UserSearch search={setQuery} />
      <ListTable pages={pages} columns={columns} rowKey="user_id" testId="admin-users"
        empty={query ? `Nobody is called “${query}”.` : "There are no users yet."} />
      {opened && <UserDrawer key={opened.user_id} user={opened} changed={pages.reload} close={() => setOpenedId(null)} />}
    </>
  );
}

function RoleTags({ roles }: { roles: Role[] }) {
  return <span className="tags">{roles.map((role) => <Tag key={role}>{role}</Tag>)}</span>;
}
