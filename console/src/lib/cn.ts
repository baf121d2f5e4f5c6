// Class names put together. What a component says of itself and others may say otherwise begins with `else:`.
export { clsx as cn } from "clsx";
