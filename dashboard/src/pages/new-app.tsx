import { CreateAppForm } from "../components/create-app-form";
import { Page } from "../components/page";

export function NewAppPage() {
  return (
    <Page
      title="Create app"
      narrow
      description="It gets an id and a first key. Sockets and events of one app never reach another."
    >
      <div className="max-w-md">
        <CreateAppForm autoFocus />
      </div>
    </Page>
  );
}
