// The way from the lineage to the page of what is chosen; nothing where it has none.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ExternalLink } from "lucide-react";
import { connectionsQuery } from "@/api/connections";
import type { LineageNode } from "@/api/lineage";
import { Button } from "@/components/ui/button";

export function ThingLink({ node }: { node: LineageNode }) {
  const { kind, object_id: pipeline } = node;
  if (kind === "table") return <TableLink node={node} />;
  if (kind === "file" && node.connection === "files") return <FileLink node={node} />;
  if (kind === "transformation" && pipeline) return <TransformationLink transformation={pipeline} />;
  if (kind !== "pipeline" || !pipeline) return null;
  return (
    <Button asChild size="sm" variant="primary">
      <Link to="/pipelines/$pipeline" params={{ pipeline }}>
        <ExternalLink aria-hidden /> Open
      </Link>
    </Button>
  );
}

function TransformationLink({ transformation }: { transformation: string }) {
  return (
    <Button asChild size="sm" variant="primary">
      <Link to="/transformations/$transformation" params={{ transformation }}>
        <ExternalLink aria-hidden /> Open
      </Link>
    </Button>
  );
}

function TableLink({ node: { id, connection } }: { node: LineageNode }) {
  const { data: connections = [] } = useQuery(connectionsQuery);
  const known = connections.find(({ name }) => name === connection);
  const [schema, ...names] = id.slice(`table:${connection ?? ""}.`.length).split(".");
  if (!known || !schema || names.length === 0) return null;
  return (
    <Button asChild size="sm" variant="primary">
      <Link to="/explorer" search={{ connection: known.id, schema, table: names.join(".") }}>
        <ExternalLink aria-hidden /> Open in explorer
      </Link>
    </Button>
  );
}

/** To the folder where it lies. */
function FileLink({ node: { id } }: { node: LineageNode }) {
  const folder = id.slice("file:files/".length).split("/").slice(0, -1).join("/");
  return (
    <Button asChild size="sm" variant="primary">
      <Link to="/files" search={folder === "" || folder.includes("*") ? {} : { folder }}>
        <ExternalLink aria-hidden /> Open in files
      </Link>
    </Button>
  );
}
