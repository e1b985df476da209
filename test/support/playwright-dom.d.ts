// The types of Playwright refer to these of the DOM library, which no test needs.
interface Node {
  readonly nodeName: string;
}
interface HTMLElement extends Node {
  readonly style: unknown;
}
interface SVGElement extends Node {
  readonly ownerSVGElement: unknown;
}
type HTMLElementTagNameMap = Record<string, HTMLElement>;
