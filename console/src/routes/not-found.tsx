// Where an address leads nowhere.
import { Link } from "@tanstack/react-router";
import { MapPinOff } from "lucide-react";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/states";
import { useTitle } from "@/lib/title";

export function NotFound() {
  useTitle("Not found");
  return (
    <div className="p-8">
      <h1 className="sr-only">Not found</h1>
      <EmptyState
        icon={MapPinOff}
        title="There is nothing at this address."
        action={
          <Button asChild variant="primary">
            <Link to="/">To the dashboard</Link>
          </Button>
        }
      />
    </div>
  );
}
