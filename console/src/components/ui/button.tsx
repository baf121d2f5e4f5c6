// Buttons, and links that look like them.
import { Slot } from "@radix-ui/react-slot";
import { cva, type VariantProps } from "class-variance-authority";
import { LoaderCircle } from "lucide-react";
import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";
import { Tooltip } from "./tooltip";

const button = cva(
  "inline-flex shrink-0 items-center justify-center gap-2 rounded-lg font-medium whitespace-nowrap transition-colors duration-150 disabled:opacity-55 disabled:cursor-not-allowed aria-disabled:opacity-55 aria-disabled:cursor-not-allowed [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      variant: {
        primary: "bg-primary text-white shadow-sm shadow-primary/30 not-disabled:hover:bg-primary-strong",
        secondary: "border border-border else:bg-card not-disabled:hover:bg-muted",
        ghost: "not-disabled:hover:bg-muted",
        danger: "bg-red-700 text-white not-disabled:hover:bg-red-800",
        link: "text-link underline-offset-4 not-disabled:hover:underline",
      },
      size: {
        sm: "h-8 px-2.5 text-xs",
        md: "h-9 px-3.5 text-sm",
        lg: "h-11 px-5 text-sm",
        icon: "else:size-8",
      },
    },
    defaultVariants: { variant: "secondary", size: "md" },
  },
);

type ButtonProps = ComponentProps<"button"> &
  VariantProps<typeof button> & {
    /** The child is drawn as a button, such as a link. */
    asChild?: boolean;
    isBusy?: boolean;
    /** Why it may not be pressed: it is disabled, can still be reached, and says so. */
    refusal?: string | null | undefined;
  };

export function Button({
  variant,
  size,
  className,
  asChild,
  isBusy,
  refusal,
  children,
  ...rest
}: ButtonProps) {
  const classes = cn(button({ variant, size }), className);
  if (asChild) {
    return (
      <Slot className={classes} {...rest}>
        {children}
      </Slot>
    );
  }
  if (refusal) {
    return (
      <Tooltip text={refusal}>
        <button type="button" className={classes} aria-disabled aria-label={rest["aria-label"]}>
          {children}
        </button>
      </Tooltip>
    );
  }
  return (
    <button type="button" {...rest} className={classes} disabled={rest.disabled || isBusy} aria-busy={isBusy}>
      {isBusy && <LoaderCircle aria-hidden className="animate-spin" />}
      {children}
    </button>
  );
}
