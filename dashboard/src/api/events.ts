import { useMutation } from "@connectrpc/connect-query";
import { EventService } from "../gen/peal/admin/v1/events_pb";

export function usePublishEvent() {
  return useMutation(EventService.method.publishEvent);
}
