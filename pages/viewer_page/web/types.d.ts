/** What the viewer's modules hand each other. Points, boxes and rings are level-0 pixels unless said otherwise. */

export type Point = { x: number; y: number };

export type Box = { x: number; y: number; width: number; height: number };

export type Edges = { left: number; top: number; right: number; bottom: number };

/** The middle of a view and how much of the slide is seen from left to right. */
export type Place = { x: number; y: number; width?: number };

export type Corner = [x: number, y: number];

/** Without the first corner again at the end. */
export type Ring = Corner[];

/** A cell of a grid of squares, by column and row from the slide's own origin. */
export type Cell = { column: number; row: number; name: string };

// What Python sends, see `component.py`.

export type Slide = Box & {
  id: string;
  title: string;
  url: string;
  picture: string;
  brush: string;
  tileSize: number;
  levels: number;
  mpp: number | null;
};

export type ColourScale = { colours: string[]; low: string; high: string };

export type OutlineSpec = { url: string; side: number; reach: number };

export type LayerSpec = {
  id: string;
  label: string;
  title: string;
  url: string;
  byClass: boolean;
  opaque: boolean;
  extraLevels: number;
  bounds: Box;
  on: boolean;
  opacity: number;
  outlines: OutlineSpec | null;
  scale: ColourScale | null;
};

export type NucleusClass = { id: number; name: string; colour: string; count?: number; on: boolean };

export type Roi = {
  id: string;
  name: string;
  kind: "include" | "tumour" | "exclude";
  className: string;
  colour: string;
  rings: Ring[];
};

export type Drawing = { revision: number; selected: string | null; rois: Roi[] };

/** What Python is told: the list, and which ids were touched and what was removed since Python last told it. */
export type Drawn = Drawing & { touched: string[]; removed: Roi[] };

export type Share = { name: string; colour: string; share: number };

export type Nucleus = Point & {
  id: number;
  class: string;
  colour: string;
  score: number;
  uncertain: boolean;
  byHand: boolean;
  number: number;
  count: number;
  ring: Ring;
  crop: Box & { picture: string };
  shares: Share[];
  measures: [label: string, value: string][];
};

/** What is asked about nuclei: the one at a point, the next of its class, or to put it away. */
export type Pick = { x?: number; y?: number; classes?: number[]; step?: number };

/** What takes an outline that was drawn. */
export type Outlined = { add(rings: Ring[]): void };

/** What may be said of nuclei, and where. */
export type Correcting = {
  url: string;
  names: string;
  classes: { name: string; colour: string; key: string }[];
  refused: string | null;
};

/** A nucleus that is to be corrected; of very many not all have their outline. */
export type Selected = { id: number; name: string; ring: Ring | null };

export type Library = { sources: string[]; integrity: string };

export type Answer = { status: number; type: string; body: string };

export type Answers = { number: string; answers: Answer[] } | null;

/** The other analyses of the slide, and what is seen of the chosen one. */
export type BesideSpec = {
  others: { id: string; title: string }[];
  shownTitle: string;
  chosen: string | null;
  layers: LayerSpec[];
  classes: { id: number; name: string }[];
};

export type ViewerData = {
  modules: string;
  library: Library;
  slide: Slide;
  layers: LayerSpec[];
  classes: NucleusClass[];
  classesNote: string | null;
  goTo: (Point & { width: number; number: number }) | null;
  nucleus: Nucleus | null;
  hover: string | null;
  picked: Ring[];
  regions: Drawing;
  beside: BesideSpec | null;
  correcting: Correcting | null;
  answers: Answers;
};

/** Tells Python, by the name of a piece of the component's state, what the reader did. */
export type Tell = (name: string, value: unknown) => void;

/** A square of the slide with the outlines of its nuclei, in units counted from its own corner. */
export type OutlineSquare = Point & {
  unit: number;
  count: number;
  corners: Int16Array;
  classes: Uint8Array;
  starts: Uint32Array;
  boxes: Int16Array;
  bytes: number;
};

/** Takes the pointer over while it is in hand. */
export interface Tool {
  hint: string;
  done: () => void;
  press(point: Point, event: PointerEvent): void;
  move(point: Point, event: PointerEvent): void;
  release(point: Point, event: PointerEvent): void;
  doubleClick?(): void;
  key?(event: KeyboardEvent): boolean;
  cancel(): void;
}
