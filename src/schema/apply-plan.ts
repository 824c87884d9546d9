/**
 * How to write what an object owns, learnt once for each set of fields that objects of a shape come with: most objects of a kind have the same ones, and then
 * nearly all of the text is known before. A plan is found by walking the object's own keys; it does not look at the fields that are absent.
 */
import type { Json, JsonObject } from "../base/json.ts";
import { givenEmpty } from "./go-nulls.ts";
import { type FieldShape, type MapShape, type Shape, isEmpty } from "./apply-shape.ts";

/** One member of the text: written as it stands, or followed by what the field's value owns. */
export type Member = {
  /** Comma, key and, where the value does not matter, the value. */
  readonly text: string;
  /** `undefined` where `text` is all. */
  readonly below: Below | undefined;
};
export type Below = {
  readonly name: string;
  readonly shape: Shape;
  /** What Go's struct had there before. */
  readonly was: Json | undefined;
  /** What it has where the object says nothing; `undefined`: the object's own value counts. */
  readonly given: Json | undefined;
};

// What of a value decides whether and how its field is written.
const scalar = 0, zero = 1, nothing = 2, empty = 3, filled = 4, absent = 5, given = 6;

/** Plans kept for one shape. Clients that write fields in ever other orders make it start anew. */
const plansMax = 2_000;
/** … and for all shapes together, some 3 MB: there are thousands of them, and whoever may write can make up objects. Beyond it all start anew. */
export const plansInAllMax = 8_000;
let plansInAll = 0;
/** How many are kept, for tests. */
export const plansKept = (): number => plansInAll;

/** What the fields met so far are; the next field leads on. */
export class Plan {
  readonly #root: PlanRoot;
  readonly #before: Plan | undefined;
  readonly #field: FieldShape | undefined;
  readonly #form: number;
  // Most often one field only comes next; the first has no map.
  #nextName = "";
  #nextForm = -1;
  #next: Plan | undefined;
  #others: Map<string, Plan>[] | undefined;
  #added: readonly Member[] | undefined;
  #whole: string | null | undefined;
  #changed: readonly Member[] | undefined;

  /** `field` in this `form` was met after those of `before`. */
  constructor(root: PlanRoot, before?: Plan, field?: FieldShape, form = absent) {
    this.#root = root;
    this.#before = before;
    this.#field = field;
    this.#form = form;
  }

  after(name: string, form: number): Plan {
    if (this.#nextForm === form && this.#nextName === name) return this.#next!;
    return this.#others?.[form]?.get(name) ?? this.#learn(name, form);
  }

  #learn(name: string, form: number): Plan {
    const field = this.#root.shape.fields.get(name);
    // What the schema does not know is not owned.
    const plan = field === undefined ? this : this.#root.make(this, field, form);
    if (field === undefined && !this.#root.room()) return plan;
    if (this.#next === undefined) [this.#nextName, this.#nextForm, this.#next] = [name, form, plan];
    else ((this.#others ??= [])[form] ??= new Map()).set(name, plan);
    return plan;
  }

  /** Members of an object that was not there before. */
  get added(): readonly Member[] {
    return (this.#added ??= this.#members(false));
  }
  /** All that is written of an object that was not there before, if nothing of it depends on its values; else `null`. */
  get whole(): string | null {
    if (this.#whole === undefined) this.#whole = this.added.some(({ below }) => below !== undefined) ? null : this.added.length === 0 ? "{}" : `{".":{}${this.added.map(({ text }) => text).join("")}}`;
    return this.#whole;
  }
  /** Members of an object that Go's struct had before, empty. */
  get changed(): readonly Member[] {
    return (this.#changed ??= this.#members(true));
  }

  #members(wasThere: boolean): readonly Member[] {
    const met = new Map<FieldShape, number>();
    for (let plan: Plan = this; plan.#field !== undefined; plan = plan.#before!) met.set(plan.#field, plan.#form);
    const members: Member[] = [];
    for (const field of this.#root.shape.ordered) {
      const form = met.get(field) ?? absent;
      const value = form === absent ? field.of({}) : example(field, form);
      const was = wasThere ? field.of({}) : undefined;
      if (value === undefined || value === was || (form === absent && wasThere)) continue;
      const isLeaf = was === undefined && (typeof value !== "object" || value === null);
      const own = form !== absent && form !== nothing;
      members.push({ text: isLeaf ? `,${field.key}{}` : `,${field.key}`, below: isLeaf ? undefined : { name: field.name, shape: field.shape, was, given: own ? undefined : value } });
    }
    return joined(members);
  }
}

/** Neighbours whose text is known are one. */
function joined(members: readonly Member[]): readonly Member[] {
  const out: Member[] = [];
  for (const member of members) {
    const last = out.at(-1);
    if (last !== undefined && last.below === undefined && member.below === undefined) out[out.length - 1] = { text: last.text + member.text, below: undefined };
    else out.push(member);
  }
  return out;
}

/** What the typed object has of a field with a value of this form: whether it is there, and whether something can be below it. */
function example(field: FieldShape, form: number): Json | undefined {
  return field.of({ [field.name]: form === scalar ? 1 : form === zero ? 0 : form === nothing ? null : form === empty ? {} : form === given ? givenEmpty : { "": 1 } });
}

class PlanRoot {
  readonly shape: MapShape;
  #count = 0;
  plan: Plan;
  constructor(shape: MapShape) {
    this.shape = shape;
    this.plan = new Plan(this);
  }
  room(): boolean {
    if (++plansInAll > plansInAllMax) {
      plansInAll = 0;
      roots = new WeakMap();
    }
    return ++this.#count < plansMax;
  }
  make(before: Plan, field: FieldShape, form: number): Plan {
    if (!this.room()) {
      this.#count = 0;
      this.plan = new Plan(this);
    }
    return new Plan(this, before, field, form);
  }
}

let roots = new WeakMap<MapShape, PlanRoot>();

/** The plan for an object of declared fields only. */
export function planOf(shape: MapShape, object: JsonObject): Plan {
  let root = roots.get(shape);
  if (root === undefined) roots.set(shape, (root = new PlanRoot(shape)));
  let { plan } = root;
  for (const name in object) {
    const value = object[name];
    if (value === undefined) continue;
    plan = plan.after(name, typeof value === "object" ? (value === null ? nothing : isEmpty(value) ? (value === givenEmpty ? given : empty) : filled) : value === "" || value === 0 || value === false ? zero : scalar);
  }
  return plan;
}
