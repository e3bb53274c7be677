import { SearchOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { useState } from "react";

export function UserSearch({ search }: { search: (query: string) => void }) {
  const [text, setText] = useState("");
  return (
    <form role="search" className="admin-search" onSubmit={(event) => {
      event.preventDefault();
      search(text.trim());
    }}>
      <Input value={text} placeholder="Name or email" aria-label="Search users" allowClear data-testid="user-search"
        onChange={({ target }) => setText(target.value)} onClear={() => search("")} />
      <Button htmlType="submit" icon={<SearchOutlined />} aria-label="Search" data-testid="user-search-go" />
    </form>
  );
}
