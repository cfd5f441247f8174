export { timestampDate as toDate } from "@bufbuild/protobuf/wkt";
