// What each role may do, exactly.
import { Check, Minus } from "lucide-react";
import { type Role, ROLE_NAMES } from "@/api/me";
import { Card } from "@/components/ui/card";

/** From the one that may least on. */
export const ROLES = (["viewer", "editor", "admin", "owner"] as const).map((value) => ({
  value,
  label: ROLE_NAMES[value],
}));

/** Each right, and the first role that has it; the roles after it have it, too. */
const RIGHTS: readonly (readonly [string, Role])[] = [
  ["See everything but secrets and the audit log", "viewer"],
  ["Make API keys of one’s own", "viewer"],
  ["Make and change connections, pipelines, transformations and schedules", "editor"],
  ["Test connections, look into tables, run, cancel and retry", "editor"],
  ["Delete connections, pipelines, transformations and schedules", "admin"],
  ["Invite and remove members, change their roles", "admin"],
  ["Say who is alerted; see the audit log", "admin"],
  ["Lock and unlock the vault, change its master password", "owner"],
  ["Export secrets", "owner"],
  ["Rename the organization, hand it over, delete it", "owner"],
];

export function RolesTable() {
  const rank = (role: Role) => ROLES.findIndex(({ value }) => value === role);
  return (
    <Card className="overflow-x-auto">
      <table className="w-full" aria-label="Rights of each role">
        <thead>
          <tr className="h-10 border-b border-border text-xs text-muted-foreground">
            <th scope="col" className="px-4 text-left font-medium">
              Right
            </th>
            {ROLES.map(({ value, label }) => (
              <th key={value} scope="col" className="w-20 px-2 font-medium">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {RIGHTS.map(([right, first]) => (
            <tr key={right} className="h-10 border-b border-border last:border-0">
              <th scope="row" className="px-4 py-2 text-left font-normal">
                {right}
              </th>
              {ROLES.map(({ value }) => (
                <td key={value} className="text-center">
                  {rank(value) >= rank(first) ? (
                    <Check role="img" aria-label="yes" className="inline size-4 text-success" />
                  ) : (
                    <Minus role="img" aria-label="no" className="inline size-4 text-muted-foreground" />
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
