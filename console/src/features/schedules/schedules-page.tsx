// What runs by itself: at times, and when something happens.
import { getRouteApi } from "@tanstack/react-router";
import { Page } from "@/components/page";
import { Tabs } from "@/components/ui/tabs";
import { SchedulesTab } from "./schedules-tab";
import { TriggersTab } from "./triggers-tab";

const route = getRouteApi("/app/schedules");

export function SchedulesPage() {
  const { tab = "schedules" } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page title="Schedules" lead="What runs by itself: at its times, or when something happens.">
      <Tabs
        label="What begins runs"
        value={tab}
        onChange={(tab) => void navigate({ search: { tab }, replace: true })}
        tabs={[
          { value: "schedules", label: "Schedules", content: tab === "schedules" && <SchedulesTab /> },
          { value: "triggers", label: "Triggers", content: tab === "triggers" && <TriggersTab /> },
        ]}
      />
    </Page>
  );
}
