// Files on their way: how far each has come, going on after a break, giving up.
import { CircleCheck, CircleX, LoaderCircle, RotateCw, X } from "lucide-react";
import { dropUpload, resumeUpload, type UploadItem, useUploads } from "@/api/uploads";
import { Words } from "@/components/words";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Bytes } from "@/components/ui/values";

export function Uploads() {
  const uploads = useUploads();
  if (uploads.length === 0) return null;
  const left = uploads.filter(({ state }) => state === "waiting" || state === "sending").length;
  return (
    <Card className="p-3">
      <p role="status" className="px-1 pb-1 font-medium">
        {left > 0 ? `Uploading: ${left} of ${uploads.length} left` : "Uploads"}
      </p>
      <ul aria-label="Uploads" className="max-h-64 overflow-y-auto">
        {uploads.map((item) => (
          <li key={item.id} className="flex min-h-10 items-center gap-3 px-1 py-1">
            <State item={item} />
            <span className="min-w-0 flex-1">
              <span className="block truncate">
                {item.folder !== "" && <span className="text-muted-foreground">{item.folder}/</span>}
                {item.file.name}
              </span>
              {item.state === "sending" && <Bar item={item} />}
              {item.state === "broken" && (
                <span className="block text-xs text-danger">
                  <Words text={item.error instanceof Error ? item.error.message : "it broke off"} />
                </span>
              )}
            </span>
            <span className="text-xs whitespace-nowrap text-muted-foreground">
              {item.state !== "done" && (
                <>
                  <Bytes value={item.sent} /> of{" "}
                </>
              )}
              <Bytes value={item.file.size} />
            </span>
            {item.state === "broken" && (
              <Button size="sm" onClick={() => resumeUpload(item.id)}>
                <RotateCw aria-hidden /> Resume
              </Button>
            )}
            <Button
              variant="ghost"
              size="icon"
              aria-label={item.state === "done" ? `Dismiss ${item.file.name}` : `Give up ${item.file.name}`}
              onClick={() => dropUpload(item.id)}
            >
              <X aria-hidden />
            </Button>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function State({ item: { state } }: { item: UploadItem }) {
  const icon = "size-4 shrink-0";
  if (state === "done") return <CircleCheck aria-label="Uploaded" className={`${icon} text-success`} />;
  if (state === "broken") return <CircleX aria-label="Broke off" className={`${icon} text-danger`} />;
  return (
    <LoaderCircle
      aria-label={state === "sending" ? "Uploading" : "Waiting"}
      className={`${icon} text-info ${state === "sending" ? "animate-spin motion-reduce:animate-none" : ""}`}
    />
  );
}

function Bar({ item: { file, sent } }: { item: UploadItem }) {
  const percent = file.size === 0 ? 100 : Math.round((sent / file.size) * 100);
  return (
    <span
      role="progressbar"
      aria-label={`Upload of ${file.name}`}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
      className="mt-1 block h-1.5 overflow-hidden rounded-full bg-border"
    >
      <span
        className="block h-full bg-primary transition-[width] duration-150"
        style={{ width: `${percent}%` }}
      />
    </span>
  );
}
