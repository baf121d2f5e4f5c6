// How everything stands.
import { useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Activity, FileCode2, Percent, Plus, Workflow } from "lucide-react";
import { dashboardQuery } from "@/api/dashboard";
import { useMay, useMembership } from "@/api/me";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { Section } from "@/components/ui/card";
import { Attention } from "./attention";
import { ClusterStrip } from "./cluster-strip";
import { Hours } from "./hours";
import { MiniDag } from "./mini-dag";
import { NextScheduled } from "./next-scheduled";
import { RecentRuns } from "./recent-runs";
import { StatCard } from "./stat-card";
import { Welcome } from "./welcome";

export function DashboardPage() {
  const { data } = useSuspenseQuery(dashboardQuery);
  const membership = useMembership();
  const may = useMay("edit");
  const rate = data.success_rate;
  const { active, paused, error, draft } = data.pipelines;
  const health = [
    [active, "active"],
    [error, "failing"],
    [paused, "paused"],
    [draft, "draft"],
  ] as const;
  return (
    <Page
      title="Dashboard"
      lead={membership?.organization.name}
      actions={
        <Button asChild={may.allowed} variant="primary" refusal={may.reason}>
          {may.allowed ? (
            <Link to="/connections" search={{ new: true }}>
              <Plus aria-hidden /> New connection
            </Link>
          ) : (
            "New connection"
          )}
        </Button>
      }
    >
      {data.totals.pipelines + data.totals.transformations === 0 && <Welcome />}
      <div className="grid grid-cols-1 gap-4 sm:grid-cols-2 xl:grid-cols-4">
        <StatCard
          icon={Workflow}
          label="Pipelines"
          value={data.totals.pipelines}
          more={health.flatMap(([count, word]) => (count > 0 ? `${count} ${word}` : [])).join(" · ")}
          link={{ to: "/pipelines" }}
        />
        <StatCard
          icon={FileCode2}
          label="Transformations"
          value={data.totals.transformations}
          link={{ to: "/transformations" }}
        />
        <StatCard
          icon={Activity}
          label="Runs today"
          value={data.runs_today}
          more="since midnight UTC"
          link={{ to: "/runs" }}
        />
        <StatCard
          icon={Percent}
          label="Success rate"
          value={rate === null || rate === undefined ? "–" : `${Math.round(rate * 100)} %`}
          more="of the last 24 hours"
          link={{ to: "/runs", search: { status: "failed" } }}
        />
      </div>
      <ClusterStrip strip={data.executors} />
      <div className="grid grid-cols-1 gap-5 xl:grid-cols-3">
        <Section title="Needs attention">
          <Attention items={data.needs_attention} />
        </Section>
        <Section title="Last 24 hours">
          <Hours hours={data.last_24_hours} />
        </Section>
        <Section title="Next scheduled">
          <NextScheduled items={data.next_scheduled} />
        </Section>
      </div>
      <MiniDag />
      <Section
        title="Recent runs"
        aside={
          data.recent_runs.length > 0 && (
            <Button asChild variant="link" size="sm">
              <Link to="/runs">All runs</Link>
            </Button>
          )
        }
      >
        <RecentRuns runs={data.recent_runs} />
      </Section>
    </Page>
  );
}
