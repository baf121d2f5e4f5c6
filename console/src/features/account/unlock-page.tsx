// The vault: how it stands, unlocking and locking it.
import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useRouter } from "@tanstack/react-router";
import { Lock, LockOpen, ShieldCheck } from "lucide-react";
import { type SyntheticEvent, useState } from "react";
import { useMay } from "@/api/me";
import { useLock, useUnlock, vaultQuery } from "@/api/vault";
import { Page } from "@/components/page";
import { ProblemAlert } from "@/components/problem-state";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { Field } from "@/components/ui/field";
import { PasswordInput } from "@/components/ui/input";
import { toast } from "@/components/ui/toast";

export function UnlockPage() {
  const { data: vault } = useSuspenseQuery(vaultQuery);
  const Icon = vault.locked ? Lock : vault.exists ? LockOpen : ShieldCheck;
  return (
    <Page title="Vault" lead="Where the secrets of this organization’s connections are kept.">
      <Card className="mx-auto mt-6 flex w-full max-w-lg flex-col gap-5 p-7">
        <span className="grid size-14 place-items-center rounded-2xl bg-accent text-accent-foreground">
          <Icon aria-hidden className="size-7" />
        </span>
        {vault.locked ? <Locked /> : <Open exists={vault.exists} hasPassword={vault.password} />}
      </Card>
    </Page>
  );
}

function Locked() {
  const may = useMay("open vault");
  const unlock = useUnlock();
  const router = useRouter();
  const [password, setPassword] = useState("");
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    unlock.mutate(password, {
      onSuccess: () => {
        toast("success", "The vault is open: what waited for it goes on.");
        void router.navigate({ to: "/" });
      },
    });
  };
  return (
    <>
      <div>
        <h2 className="text-lg font-semibold">The vault is locked</h2>
        <p className="mt-1 text-muted-foreground">
          Runs wait and connections cannot be tested until an owner unlocks it. Nothing is lost meanwhile.
        </p>
      </div>
      {may.allowed ? (
        <form onSubmit={send} className="flex flex-col gap-4">
          <ProblemAlert title="The vault stays locked." error={unlock.error} />
          <Field label="Master password">
            {(control) => (
              <PasswordInput
                {...control}
                value={password}
                onChange={(event) => setPassword(event.target.value)}
                autoComplete="off"
                autoFocus
                required
              />
            )}
          </Field>
          <Button
            type="submit"
            variant="primary"
            size="lg"
            isBusy={unlock.isPending}
            disabled={password === ""}
          >
            Unlock
          </Button>
        </form>
      ) : (
        <p>{may.reason} Ask an owner to unlock it.</p>
      )}
      <Command text="flowetl unlock" />
    </>
  );
}

function Open({ exists, hasPassword }: { exists: boolean; hasPassword: boolean }) {
  const may = useMay("open vault");
  const lock = useLock();
  const refusal = hasPassword ? may.reason : "Only a vault with a master password can be locked.";
  return (
    <>
      <div>
        <h2 className="text-lg font-semibold">{exists ? "The vault is open" : "There are no secrets yet"}</h2>
        <p className="mt-1 text-muted-foreground">
          {exists
            ? "Connections can be tested and runs can begin. Locking it lets what is under way finish, and everything else wait."
            : "The first password of a connection makes the vault."}
        </p>
      </div>
      <ProblemAlert title="The vault stays open." error={lock.error} />
      {!exists && (
        <Button asChild size="lg">
          <Link to="/connections" search={{ new: true }}>
            Add a connection
          </Link>
        </Button>
      )}
      {exists && (
        <Button size="lg" isBusy={lock.isPending} refusal={refusal} onClick={() => lock.mutate()}>
          <Lock aria-hidden /> Lock now
        </Button>
      )}
      {exists && <Command text="flowetl lock" />}
    </>
  );
}

/** The same on the command line. */
function Command({ text }: { text: string }) {
  return (
    <p className="flex items-center justify-between gap-2 rounded-lg bg-muted py-1 pr-1 pl-3 text-xs">
      <span>
        On the command line: <code className="font-mono">{text}</code>
      </span>
      <CopyButton text={text} label="Copy command" />
    </p>
  );
}
