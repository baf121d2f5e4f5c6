// What opens the vault: its master password, and the key of the installation.
import { useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { KeyRound, Lock, LockOpen } from "lucide-react";
import { type SyntheticEvent, useState } from "react";
import { useMay } from "@/api/me";
import { useLock, useMasterPassword, vaultQuery } from "@/api/vault";
import { ProblemAlert } from "@/components/problem-state";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card, Section } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { PasswordInput } from "@/components/ui/input";
import { StatusBadge } from "@/components/ui/status-badge";
import { toast } from "@/components/ui/toast";
import { Checkbox } from "@/components/ui/toggle";

export function VaultTab() {
  const { data: vault } = useSuspenseQuery(vaultQuery);
  const may = useMay("open vault");
  const lock = useLock();
  const Icon = vault.locked ? Lock : LockOpen;
  return (
    <div className="grid grid-cols-1 gap-6 xl:grid-cols-2">
      <Section title="State">
        <Card className="flex flex-col gap-4 p-5">
          <p className="flex items-center gap-3 text-base font-medium">
            <Icon aria-hidden className="size-5 text-link" />
            {vault.locked ? "Locked" : vault.exists ? "Open" : "Not made yet: the first secret makes it"}
          </p>
          <dl className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-y-2">
            <dt>Opened by a key of the installation, after every start</dt>
            <dd>
              <StatusBadge status={vault.key ? "active" : "never"} word={vault.key ? "Yes" : "No"} />
            </dd>
            <dt>Opened by a master password</dt>
            <dd>
              <StatusBadge
                status={vault.password ? "active" : "never"}
                word={vault.password ? "Yes" : "No"}
              />
            </dd>
          </dl>
          <ProblemAlert title="The vault stays open." error={lock.error} />
          {vault.locked ? (
            <Button asChild variant="primary" className="self-start">
              <Link to="/unlock">Unlock</Link>
            </Button>
          ) : (
            <Button
              className="self-start"
              isBusy={lock.isPending}
              refusal={vault.password ? may.reason : "Only a vault with a master password can be locked."}
              onClick={() => lock.mutate()}
            >
              <Lock aria-hidden /> Lock now
            </Button>
          )}
        </Card>
      </Section>
      <Section title={vault.password ? "Change the master password" : "Set a master password"}>
        <Card className="p-5">
          {may.allowed ? (
            <PasswordForm hasPassword={vault.password} />
          ) : (
            <Alert kind="info">{may.reason}</Alert>
          )}
        </Card>
      </Section>
    </div>
  );
}

function PasswordForm({ hasPassword }: { hasPassword: boolean }) {
  const change = useMasterPassword();
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [isOnly, setOnly] = useState(false);
  const isSame = password === again;
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    change.mutate(
      { password, ...(hasPassword && { current }), ...(isOnly && { only: true }) },
      {
        onSuccess: () => {
          setCurrent("");
          setPassword("");
          setAgain("");
          toast("success", "The master password was set. What is sealed stays as it is.");
        },
      },
    );
  };
  return (
    <form onSubmit={send} className="flex max-w-md flex-col gap-4">
      {hasPassword && (
        <Field label="Current master password">
          {(control) => (
            <PasswordInput
              {...control}
              value={current}
              autoComplete="off"
              required
              onChange={(event) => setCurrent(event.target.value)}
            />
          )}
        </Field>
      )}
      <Field label="New master password">
        {(control) => (
          <PasswordInput
            {...control}
            value={password}
            autoComplete="new-password"
            required
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
      </Field>
      <Field label="Once more" error={again !== "" && !isSame ? "This is not the same password." : undefined}>
        {(control) => (
          <PasswordInput
            {...control}
            value={again}
            autoComplete="new-password"
            required
            onChange={(event) => setAgain(event.target.value)}
          />
        )}
      </Field>
      <Checkbox
        isOn={isOnly}
        onChange={setOnly}
        label="Only the password opens it"
        help="It is locked after every start then, and the secrets are lost with the password."
      />
      <ProblemAlert title="The master password stays as it was." error={change.error} />
      <Button
        type="submit"
        variant="primary"
        className="self-start"
        isBusy={change.isPending}
        disabled={password === "" || !isSame}
      >
        <KeyRound aria-hidden /> {hasPassword ? "Change password" : "Set password"}
      </Button>
    </form>
  );
}
