import { Button } from "antd";
import { NavLink, Link } from "react-router";
import { askToSignIn, mayActAs, useSession } from "../session/session";
import { AccountMenu } from "./AccountMenu";

export function Header() {
  const user = useSession((state) => state.user);
  const ended = useSession((state) => state.ended);
  return (
    <>
      <header className="header">
        <Link to="/" className="header-brand" aria-label="Social Live, live channels">
          <img src="/icon.svg" alt="" width={30} height={30} />
          <span>Social Live</span>
        </Link>
        <nav className="header-nav" aria-label="Pages">
          <NavLink to="/" end>Live</NavLink>
          <NavLink to="/studio">Studio</NavLink>
          {mayActAs(user, "admin") && <NavLink to="/admin">Admin</NavLink>}
        </nav>
        <div className="header-end">
          {user === null
            ? <Button type="primary" onClick={askToSignIn} data-testid="open-sign-in">Sign in</Button>
            : <AccountMenu user={user} />}
        </div>
      </header>
      {ended && (
        <div className="session-ended" role="status" data-testid="session-ended">
          Your session has ended. <Button type="link" size="small" onClick={askToSignIn}>Sign in again</Button>
        </div>
      )}
    </>
  );
}
