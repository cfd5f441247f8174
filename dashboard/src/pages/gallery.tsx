import { Boxes, Pause, Plus, Send } from "lucide-react";
import { type ReactNode, useState } from "react";
import { AlertDialog } from "../ui/alert-dialog";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Callout } from "../ui/callout";
import { Card } from "../ui/card";
import { Chart, type Series } from "../ui/chart";
import { CodeBlock } from "../ui/code-block";
import { CopyButton } from "../ui/copy-button";
import { Dialog } from "../ui/dialog";
import { Empty } from "../ui/empty";
import { Field, Input, Textarea } from "../ui/field";
import { IconButton } from "../ui/icon-button";
import { Kbd } from "../ui/kbd";
import { Menu, MenuItem, MenuLine, MenuNote } from "../ui/menu";
import { PasswordInput } from "../ui/password-input";
import { Select } from "../ui/select";
import { Sheet } from "../ui/sheet";
import { Skeleton } from "../ui/skeleton";
import { StatusDot } from "../ui/status-dot";
import { SwitchField } from "../ui/switch";
import { Head, Row, Table, Td, Th } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { useToast } from "../ui/toast";
import { Tooltip } from "../ui/tooltip";

const code = `import Pusher from "pusher-js"; // the official library
const pusher = new Pusher("key", { wsPort: 6001, forceTLS: false });`;
const long = "A name of sixty characters, which is as long as one may be.1";
const arabic = "فريق المحادثة المباشرة";

/** Every primitive in every state, in both themes side by side. Only in development. */
export function GalleryPage() {
  return (
    <main className="grid lg:grid-cols-2">
      <h1 className="sr-only">Gallery</h1>
      <Specimens theme="light" />
      <Specimens theme="dark" />
    </main>
  );
}

function Specimens({ theme }: { theme: "light" | "dark" }) {
  return (
    <div data-theme={theme} className="flex min-w-0 flex-col gap-8 bg-page p-4 text-ink sm:p-8">
      <Buttons />
      <Fields theme={theme} />
      <Switches />
      <Charts />
      <Marks />
      <Group name="Callouts">
        <div className="flex w-full flex-col gap-2">
          <Callout title="Neutral">Something to know.</Callout>
          <Callout tone="warn" title="Warning">
            Something to look after.
          </Callout>
          <Callout tone="bad" title="Failure">
            Something to mend.
          </Callout>
        </div>
      </Group>
      <Tables theme={theme} />
      <CodeAndTabs />
      <Floating />
      <Group name="Empty">
        <div className="w-full">
          <Empty
            icon={<Boxes aria-hidden className="size-5" />}
            title="Nothing here yet"
            action={<Button variant="primary">Create one</Button>}
          >
            What this is, why it is empty, and the next step.
          </Empty>
        </div>
      </Group>
      <Group name="Skeleton">
        <div className="flex w-full flex-col gap-2">
          <Skeleton className="w-1/3" />
          <Skeleton className="w-2/3" />
          <Skeleton className="h-20 rounded-lg" />
        </div>
      </Group>
    </div>
  );
}

function Group({ name, children }: { name: string; children: ReactNode }) {
  return (
    <section>
      <h2 className="mb-3 font-medium text-12 text-muted">{name}</h2>
      <div className="flex flex-wrap items-center gap-3">{children}</div>
    </section>
  );
}

function Buttons() {
  const icon = <Plus aria-hidden className="size-4" />;
  return (
    <>
      {(["primary", "secondary", "ghost", "danger"] as const).map((variant) => (
        <Group key={variant} name={`Button, ${variant}`}>
          <Button variant={variant}>Default</Button>
          <Button variant={variant} icon={icon}>
            With icon
          </Button>
          <Button variant={variant} size="sm">
            Small
          </Button>
          <Button variant={variant} busy>
            Busy
          </Button>
          <Button variant={variant} reason="Your role does not allow this.">
            Not allowed
          </Button>
        </Group>
      ))}
      <Group name="Icon button">
        <IconButton label="Pause" icon={<Pause aria-hidden className="size-4" />} />
        <IconButton label="Paused" aria-pressed icon={<Pause aria-hidden className="size-4" />} />
        <IconButton size="sm" label="Send" icon={<Send aria-hidden className="size-3.5" />} />
        <CopyButton what="text" source="text" />
      </Group>
    </>
  );
}

const minutes = Array.from({ length: 60 }, (_, i) => 1_780_000_000 + i * 60);
const wave = minutes.map((_, i) =>
  i > 20 && i < 30 && i !== 25 ? null : Math.round(60 + 35 * Math.sin(i / 8)),
);
const lines: Series[] = [
  { label: "Peak", values: wave, tone: "accent" },
  { label: "Average", values: wave.map((value) => (value === null ? null : value / 2)), tone: "ok" },
];
const bound = { label: "Limit", value: 120 };
const whole = (value: number) => String(Math.round(value));
const minute = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 16);

function Charts() {
  const frame = { times: minutes, format: whole, formatTime: minute, group: "gallery" };
  return (
    <Group name="Chart">
      <div className="grid w-full gap-4 sm:grid-cols-2">
        <Chart {...frame} title="With gaps and a limit" series={lines} limit={bound} />
        <Chart {...frame} title="Empty" series={lines} empty="Nothing was counted in this range." />
      </div>
    </Group>
  );
}

function Choices() {
  const [value, setValue] = useState("one");
  const choices = [
    { value: "one", label: "One" },
    { value: "long", label: long },
  ];
  return (
    <Field label="Choice">
      <Select choices={choices} value={value} onChange={setValue} />
    </Field>
  );
}

function Fields({ theme }: { theme: string }) {
  return (
    <Group name="Field">
      <div className="grid w-full gap-4 sm:grid-cols-2">
        <Choices />
        <Field label="Empty" hint="A hint below.">
          <Input placeholder="Placeholder" />
        </Field>
        <Field label="Filled">
          <Input defaultValue={long} />
        </Field>
        <Field label="With an error" error="Use at most 60 characters; this is 2 over.">
          <Input defaultValue="Wrong" />
        </Field>
        <Field label="Read only">
          <Input readOnly defaultValue="Cannot be changed" />
        </Field>
        <Field label="Several lines">
          <Textarea defaultValue={long} />
        </Field>
        <Field label={`Password, ${theme}`}>
          <PasswordInput defaultValue="secret" autoComplete="off" />
        </Field>
        <Field label="Arabic">
          <Input dir="auto" className="text-left" defaultValue={arabic} />
        </Field>
      </div>
    </Group>
  );
}

function Switches() {
  const [on, setOn] = useState(true);
  return (
    <Group name="Switch">
      <div className="w-full divide-y divide-line">
        <SwitchField label="On" hint="What it does, in one sentence." checked={on} onChange={setOn} />
        <SwitchField label="Off" checked={false} onChange={() => {}} />
        <SwitchField
          label="Not allowed, on"
          checked
          onChange={() => {}}
          reason="Your role does not allow this."
        />
        <SwitchField
          label="Not allowed, off"
          hint={`${long} ${arabic}`}
          checked={false}
          onChange={() => {}}
          reason="Your role does not allow this."
        />
      </div>
    </Group>
  );
}

function Marks() {
  const tones = ["neutral", "ok", "warn", "bad", "accent"] as const;
  return (
    <Group name="Badge, dot, key">
      {tones.map((tone) => (
        <Badge key={tone} tone={tone}>
          {tone}
        </Badge>
      ))}
      {tones.map((tone) => (
        <span key={tone} className="flex items-center gap-1.5 text-12">
          <StatusDot tone={tone} pulse={tone === "ok"} />
          {tone}
        </span>
      ))}
      <Kbd>Ctrl</Kbd>
      <Kbd>K</Kbd>
    </Group>
  );
}

function Tables({ theme }: { theme: string }) {
  return (
    <Group name="Table">
      <div className="w-full">
        <Table label={`Specimen, ${theme}`} className="table-fixed">
          <Head>
            <Th>Name</Th>
            <Th className="w-28">State</Th>
          </Head>
          <tbody>
            {["Chat", long, arabic].map((name) => (
              <Row key={name}>
                <Td>
                  <bdi className="block truncate text-left font-medium">{name}</bdi>
                </Td>
                <Td>
                  <Badge tone="ok">Active</Badge>
                </Td>
              </Row>
            ))}
          </tbody>
        </Table>
      </div>
    </Group>
  );
}

function CodeAndTabs() {
  const tabs = ["One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight"].map((label) => ({
    id: label,
    label,
  }));
  const [tab, setTab] = useState("Two");
  return (
    <Group name="Tabs, code block">
      <div className="w-full min-w-0">
        <Tabs label="Numbers" tabs={tabs} value={tab} onChange={setTab}>
          <CodeBlock title="client.js" language="js" code={code} />
        </Tabs>
      </div>
    </Group>
  );
}

function Floating() {
  const toast = useToast();
  const [open, setOpen] = useState<"dialog" | "alert" | "sheet">();
  const close = () => setOpen(undefined);
  return (
    <Group name="Menu, dialogs, sheet, toast, tooltip, card">
      <Menu trigger={<Button>Menu</Button>}>
        <MenuNote>A note</MenuNote>
        <MenuLine />
        <MenuItem checked onSelect={() => {}}>
          Chosen
        </MenuItem>
        <MenuItem onSelect={() => {}}>{long}</MenuItem>
      </Menu>
      <Button onClick={() => setOpen("dialog")}>Dialog</Button>
      <Button onClick={() => setOpen("alert")}>Alert dialog</Button>
      <Button onClick={() => setOpen("sheet")}>Sheet</Button>
      <Button onClick={() => toast({ tone: "ok", title: "Saved" })}>Toast</Button>
      <Button onClick={() => toast({ tone: "bad", title: "Not saved", detail: "Try again in a moment." })}>
        Toast, failure
      </Button>
      <Tooltip content="A few words">
        <Button>Tooltip</Button>
      </Tooltip>
      <Dialog open={open === "dialog"} onOpenChange={close} title="A dialog">
        <p className="text-muted">With something in it.</p>
      </Dialog>
      <AlertDialog
        open={open === "alert"}
        onOpenChange={close}
        title="Delete it?"
        action="Delete"
        typed="Chat"
        busy={false}
        onConfirm={close}
      >
        <p>What will happen, in full.</p>
      </AlertDialog>
      <Sheet open={open === "sheet"} onOpenChange={close} label="A sheet">
        <p className="p-4 text-muted">Navigation on a narrow screen.</p>
      </Sheet>
      <div className="w-full">
        <Card title="A card" description="With a footer." footer={<span>Footer</span>} />
      </div>
    </Group>
  );
}
