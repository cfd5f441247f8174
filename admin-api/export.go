package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/internal/requestid"
	"github.com/pealhq/peal/tenants"
)

// Files are plain GET requests, so that a browser saves them while they come: with the session of the RPCs, and bounded.

const (
	// maxExportRows bounds a file. Its last line tells whether there was more.
	maxExportRows = 100_000
	// exportPage is how many rows are read at a time: a transaction must not stay open for as long as somebody reads.
	exportPage = 1_000
	// maxExportTime bounds how long a file takes to whom reads it slowly.
	maxExportTime = 5 * time.Minute
)

// export is a file on its way.
type export struct {
	w    http.ResponseWriter
	name string // of the file
	kind string // its media type
	rows int
	// begun says that the answer is on its way, and that an error can no longer be its status.
	begun bool
}

// exports returns the handler of all files.
func (s *server) exports() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /export/audit", s.file(tenants.AuditRead, s.exportAudit))
	mux.HandleFunc("GET /export/usage", s.file(tenants.UsageRead, s.exportUsage))
	return mux
}

// file returns the handler of one file for who has a permission.
func (s *server) file(p tenants.Permission, write func(context.Context, *export, tenants.Membership, url.Values) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), maxExportTime)
		defer cancel()
		e := &export{w: w}
		err := func() error {
			if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" {
				return connect.NewError(connect.CodePermissionDenied, errors.New("another site may not ask for this file"))
			}
			who, err := s.identify(ctx, r.Header, addressIP(r.RemoteAddr))
			if err != nil {
				return err
			}
			if err := mayCall(who, p); err != nil {
				return err
			}
			query, err := url.ParseQuery(r.URL.RawQuery)
			if err != nil {
				return connect.NewError(connect.CodeInvalidArgument, errors.New("the parameters cannot be read"))
			}
			return write(ctx, e, who.Membership, query)
		}()
		if err != nil {
			s.endExport(ctx, e, err)
		}
	}
}

// endExport tells why there is no file, or breaks one off that has begun: so the reader sees that it is not whole.
func (s *server) endExport(ctx context.Context, e *export, err error) {
	mapped := toConnect(err)
	if code := mapped.Code(); code == connect.CodeInternal || code == connect.CodeUnavailable {
		s.Logger.ErrorContext(ctx, "export failed", slog.String("request_id", requestid.From(ctx)), slog.Int("rows", e.rows), slog.Any("err", err))
	}
	if e.begun {
		panic(http.ErrAbortHandler)
	}
	problem(ctx, e.w, mapped)
}

// problem answers with an error as RFC 9457 has it.
func problem(ctx context.Context, w http.ResponseWriter, err *connect.Error) {
	status := httpStatus(err.Code())
	text, _ := json.Marshal(map[string]any{ //nolint:errchkjson // texts and a number
		"type": "about:blank", "title": http.StatusText(status), "status": status, "code": err.Code().String(), "detail": err.Message(),
		"request_id": requestid.From(ctx),
	})
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // Who has gone is told nothing.
}

func httpStatus(code connect.Code) int {
	switch code { //nolint:exhaustive // The others are failures of ours.
	case connect.CodeInvalidArgument:
		return http.StatusBadRequest
	case connect.CodeUnauthenticated:
		return http.StatusUnauthorized
	case connect.CodePermissionDenied:
		return http.StatusForbidden
	case connect.CodeNotFound:
		return http.StatusNotFound
	case connect.CodeResourceExhausted:
		return http.StatusTooManyRequests
	case connect.CodeUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// begin sends the header, from where on the file comes.
func (e *export) begin() {
	if e.begun {
		return
	}
	e.begun = true
	h := e.w.Header()
	h.Set("Content-Type", e.kind)
	h.Set("Content-Disposition", `attachment; filename="`+e.name+`"`)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	e.w.WriteHeader(http.StatusOK)
}

// endInWords is the last line of every file. One without it was cut off on the way.
func (e *export) endInWords(more bool) string {
	rows := strconv.Itoa(e.rows)
	if more {
		return "# end: the first " + rows + " rows; there are more, ask for less at a time"
	}
	return "# end: all " + rows + " rows"
}

// fromQuery fills a request from parameters named as its fields, and checks it by the schema.
type fromQuery struct {
	url.Values
	err error
}

func (q *fromQuery) time(name string) *timestamppb.Timestamp {
	text := q.Get(name)
	if text == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil && q.err == nil {
		q.err = tenants.Invalid(name, "must be a time such as 2026-01-31T12:00:00Z")
	}
	return timestamppb.New(at)
}

// only refuses parameters that nobody reads, so that a mistyped filter does not give everything.
func (q *fromQuery) only(names ...string) {
	known := " " + strings.Join(names, " ") + " "
	for name, values := range q.Values {
		switch {
		case q.err != nil:
		case !strings.Contains(known, " "+name+" "):
			q.err = tenants.Invalid(name, "is no parameter of this file")
		case len(values) > 1:
			q.err = tenants.Invalid(name, "is there more than once")
		}
	}
}

func (q *fromQuery) check(m proto.Message) error {
	if q.err != nil {
		return q.err
	}
	var invalid *protovalidate.ValidationError
	err := protovalidate.Validate(m)
	if errors.As(err, &invalid) {
		return connect.NewError(connect.CodeInvalidArgument, errors.New(invalid.Error()))
	}
	return err
}

func (s *server) exportAudit(ctx context.Context, e *export, m tenants.Membership, values url.Values) error {
	q := &fromQuery{Values: values}
	q.only("format", "since", "until", "actor", "action", "target", "text")
	f := &adminv1.AuditFilter{
		Since: q.time("since"), Until: q.time("until"),
		Actor: q.Get("actor"), Action: q.Get("action"), Target: q.Get("target"), Text: q.Get("text"),
	}
	if err := q.check(f); err != nil {
		return err
	}
	filter, err := auditFilterFromProto(f)
	if err != nil {
		return err
	}
	e.name, e.kind = "audit.csv", "text/csv; charset=utf-8"
	var out auditWriter = &auditCSV{csvFile: newCSVFile(e.w)}
	switch q.Get("format") {
	case "", "csv":
	case "jsonl":
		e.name, e.kind, out = "audit.jsonl", "application/jsonl", &auditLines{json.NewEncoder(e.w)}
	default:
		return tenants.Invalid("format", "is csv or jsonl")
	}
	return s.writeAudit(ctx, e, m, filter, out)
}

// writeAudit writes the rows that a filter chooses, newest first, a page at a time.
func (s *server) writeAudit(ctx context.Context, e *export, m tenants.Membership, f tenants.AuditFilter, out auditWriter) error {
	before := int64(0)
	for {
		// One more than is written tells whether there is more.
		want := min(exportPage, maxExportRows-e.rows)
		events, err := s.Audit.Events(ctx, m.Tenant.ID, f, before, want+1)
		if err != nil {
			return err
		}
		more := len(events) > want
		events = events[:min(len(events), want)]
		if !e.begun {
			e.begin()
			if err := out.head(); err != nil {
				return err
			}
		}
		for i := range events {
			if err := out.row(&events[i]); err != nil {
				return err
			}
			e.rows++
			before = events[i].ID
		}
		if !more || e.rows >= maxExportRows {
			return out.end(e, more)
		}
	}
}

// auditWriter is a format of the audit log's file.
type auditWriter interface {
	head() error
	row(e *tenants.AuditEvent) error
	end(e *export, more bool) error
}

type auditCSV struct{ csvFile }

func (f *auditCSV) head() error {
	return f.write("time", "id", "actor", "actor_id", "via", "ip", "request_id", "action", "target", "app_id", "before", "after")
}

func (f *auditCSV) row(e *tenants.AuditEvent) error {
	v := newAuditLine(e)
	return f.write(v.Time, v.ID, v.Actor, v.ActorID, v.Via, v.IP, v.RequestID, v.Action, v.Target, v.AppID, fieldsText(v.Before), fieldsText(v.After))
}

func (f *auditCSV) end(e *export, more bool) error {
	return errors.Join(f.write(e.endInWords(more)), f.flush())
}

// fieldsText is JSON in a cell.
func fieldsText(fields map[string]any) string {
	if len(fields) == 0 {
		return ""
	}
	text, _ := json.Marshal(fields) //nolint:errchkjson // It came from JSON.
	return string(text)
}

type auditLines struct{ *json.Encoder }

// auditLine is an event in a file.
type auditLine struct {
	Time      string         `json:"time"`
	ID        string         `json:"id"`
	Actor     string         `json:"actor"`
	ActorID   string         `json:"actor_id"`
	Via       string         `json:"via"`
	IP        string         `json:"ip"`
	RequestID string         `json:"request_id"`
	Action    string         `json:"action"`
	Target    string         `json:"target"`
	AppID     string         `json:"app_id"`
	Before    map[string]any `json:"before"`
	After     map[string]any `json:"after"`
}

func newAuditLine(e *tenants.AuditEvent) auditLine {
	line := auditLine{
		Time: e.At.UTC().Format(time.RFC3339Nano), ID: strconv.FormatInt(e.ID, 10), Actor: e.ActorEmail, Via: e.Via, IP: e.IP,
		RequestID: e.RequestID, Action: e.Action, Target: e.Target, AppID: e.App, Before: e.Before, After: e.After,
	}
	if e.ActorID != (tenants.User{}).ID {
		line.ActorID = e.ActorID.String()
	}
	return line
}

func (f *auditLines) head() error { return nil }

func (f *auditLines) row(e *tenants.AuditEvent) error { return f.Encode(newAuditLine(e)) }

func (f *auditLines) end(e *export, more bool) error {
	return f.Encode(map[string]any{"end": true, "rows": e.rows, "more": more})
}
