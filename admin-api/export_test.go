package adminapi_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/usage"
)

// file asks for a file.
func (p *person) file(t *testing.T, name string, query url.Values, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base+"/export/"+name+"?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n+1 < len(header); n += 2 {
		req.Header.Set(header[n], header[n+1])
	}
	resp, err := p.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// table reads a file of CSV, and its last line apart.
func table(t *testing.T, text string) (rows []map[string]string, end string) {
	t.Helper()
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if err != nil || len(lines) < 2 {
		t.Fatalf("%q: %v", text, err)
	}
	for _, line := range lines[1 : len(lines)-1] {
		row := map[string]string{}
		for n, name := range lines[0] {
			row[name] = line[n]
		}
		rows = append(rows, row)
	}
	return rows, lines[len(lines)-1][0]
}

func TestExportAuditAsCSV(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann, bo := d.signedUp(t, "ann@example.com", "Acme"), d.signedUp(t, "bo@example.com", "=Bolt")
	bo.app(t, "Theirs")
	app, _ := ann.app(t, `=HYPERLINK("http://evil.example","x")`)
	resp, text := ann.file(t, "audit", nil)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/csv; charset=utf-8" ||
		resp.Header.Get("Content-Disposition") != `attachment; filename="audit.csv"` || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
	rows, end := table(t, text)
	if len(rows) != 2 || end != "# end: all 2 rows" {
		t.Fatalf("%v %q", rows, end)
	}
	r := rows[0]
	if at, err := time.Parse(time.RFC3339, r["time"]); err != nil || time.Since(at) > time.Minute || !strings.HasSuffix(r["time"], "Z") {
		t.Errorf("time %q, %v", r["time"], err)
	}
	if r["actor"] != "ann@example.com" || r["action"] != "app.created" || r["target"] != app.GetId() || r["before"] != "" || !strings.Contains(r["after"], "HYPERLINK") {
		t.Errorf("row %v", r)
	}
	if rows, _ := table(t, second(ann.file(t, "audit", url.Values{"action": {"app"}, "actor": {"ann@example.com"}}))); len(rows) != 1 {
		t.Errorf("of apps: %v", rows)
	}
	for _, line := range strings.Split(text, "\r\n") {
		for cell := range strings.SplitSeq(line, ",") {
			if cell = strings.Trim(cell, `"`); cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("a cell that a spreadsheet computes: %q", cell)
			}
		}
	}
}

func second(_ *http.Response, text string) string { return text }

func TestExportAuditAsLines(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	ann.app(t, "Chat")
	resp, text := ann.file(t, "audit", url.Values{"format": {"jsonl"}})
	if resp.Header.Get("Content-Type") != "application/jsonl" {
		t.Errorf("%v", resp.Header)
	}
	var lines []map[string]any
	for in := bufio.NewScanner(strings.NewReader(text)); in.Scan(); {
		var line map[string]any
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			t.Fatalf("%q: %v", in.Text(), err)
		}
		lines = append(lines, line)
	}
	if len(lines) != 3 || lines[0]["action"] != "app.created" || lines[2]["end"] != true || lines[2]["rows"] != 2. || lines[2]["more"] != false {
		t.Errorf("%v", lines)
	}
	if after, ok := lines[0]["after"].(map[string]any); !ok || after["name"] != "Chat" {
		t.Errorf("%v", lines[0])
	}
}

// TestAFileIsBounded has one row more than a file may have.
func TestAFileIsBounded(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	d.exec(t, `INSERT INTO audit (tenant_id, via, action, target) SELECT tenant_id, 'apply', 'app.created', n::text FROM audit, generate_series(1, 100000) n`)
	rows, end := table(t, second(ann.file(t, "audit", nil)))
	if len(rows) != 100_000 || end != "# end: the first 100000 rows; there are more, ask for less at a time" {
		t.Errorf("%d rows, %q", len(rows), end)
	}
	if rows[0]["target"] != "100000" || rows[99_999]["target"] != "1" {
		t.Errorf("from %v to %v", rows[0], rows[99_999])
	}
	if rows, end = table(t, second(ann.file(t, "audit", url.Values{"target": {"77777"}}))); len(rows) != 1 || end != "# end: all 1 rows" {
		t.Errorf("%v, %q", rows, end)
	}
}

func TestExportUsage(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann, bo := d.signedUp(t, "ann@example.com", "Acme"), d.signedUp(t, "bo@example.com", "Bolt")
	app, _ := ann.app(t, "Chat")
	at := usage.Minute.Start(time.Now().Add(-10 * time.Minute))
	c := usage.Counts{PeakConnections: 3, ConnectionTime: 15 * time.Second, MessagesIn: 5}
	c.Rejections[usage.Busy] = 2
	m := d.meter(t, ann)
	m.used(at, app.GetId(), c)
	m.used(at.Add(time.Minute), "999", usage.Counts{BytesOut: 7})
	d.meter(t, bo).used(at, "7", c)
	since := at.Format(time.RFC3339)
	_, text := ann.file(t, "usage", url.Values{"step": {"minute"}, "since": {since}})
	rows, end := table(t, text)
	if len(rows) != 4 || end != "# end: all 4 rows" {
		t.Fatalf("%v %q", rows, end)
	}
	by := map[string]map[string]string{}
	for _, r := range rows {
		by[r["app_id"]+" "+r["start"]] = r
	}
	r := by[app.GetId()+" "+since]
	if r["step"] != "minute" || r["covered_seconds"] != "10" || r["peak_connections"] != "3" || r["average_connections"] != "1.500" ||
		r["messages_in"] != "5" || r["rejected_busy"] != "2" || r["rejected_invalid"] != "0" {
		t.Errorf("%v", r)
	}
	if rows, _ := table(t, second(ann.file(t, "usage", url.Values{"step": {"minute"}, "since": {since}, "app_id": {"999"}}))); len(rows) != 2 {
		t.Errorf("of one app: %v", rows)
	}
}

func TestWhoGetsNoFile(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann, bo := d.signedUp(t, "ann@example.com", "Acme"), d.signedUp(t, "bo@example.com", "Bolt")
	theirs, _ := bo.app(t, "Theirs")
	since := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	good := url.Values{"step": {"hour"}, "since": {since}}
	with := func(name, value string) url.Values {
		v := url.Values{}
		for n, list := range good {
			v[n] = list
		}
		v.Set(name, value)
		return v
	}
	for name, c := range map[string]struct {
		who    *person
		file   string
		query  url.Values
		header []string
		status int
		says   string
	}{
		"nobody":                 {d.stranger(t), "audit", nil, nil, 401, "sign in"},
		"nobody, usage":          {d.stranger(t), "usage", good, nil, 401, "sign in"},
		"from another site":      {ann, "audit", nil, []string{"Sec-Fetch-Site", "cross-site"}, 403, "another site"},
		"another tenant's app":   {ann, "usage", with("app_id", theirs.GetId()), nil, 404, ""},
		"a parameter of nothing": {ann, "audit", url.Values{"actoor": {"ann"}}, nil, 400, "actoor"},
		"a parameter twice":      {ann, "audit", url.Values{"actor": {"a", "b"}}, nil, 400, "more than once"},
		"no time":                {ann, "audit", url.Values{"since": {"yesterday"}}, nil, 400, "since"},
		"no format":              {ann, "audit", url.Values{"format": {"xml"}}, nil, 400, "format"},
		"no action":              {ann, "audit", url.Values{"action": {"App Created"}}, nil, 400, "noun.verb"},
		"no step":                {ann, "usage", with("step", "week"), nil, 400, "step"},
		"too long ago":           {ann, "usage", url.Values{"step": {"minute"}, "since": {"2020-01-01T00:00:00Z"}}, nil, 400, "48 hours"},
	} {
		resp, text := c.who.file(t, c.file, c.query, c.header...)
		var problem struct {
			Status    int
			Detail    string
			RequestID string `json:"request_id"`
		}
		if err := json.Unmarshal([]byte(text), &problem); err != nil {
			t.Errorf("%s: %s %q", name, resp.Status, text)
			continue
		}
		if resp.StatusCode != c.status || problem.Status != c.status || problem.RequestID == "" || !strings.Contains(problem.Detail, c.says) ||
			resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s %s", name, resp.Status, text)
		}
	}
	d.exec(t, `UPDATE memberships SET role = 'developer'`)
	if resp, text := ann.file(t, "audit", nil); resp.StatusCode != http.StatusForbidden || !strings.Contains(text, "audit.read") {
		t.Errorf("a developer: %s %s", resp.Status, text)
	}
	d.exec(t, `UPDATE memberships SET role = 'viewer'`)
	if resp, text := ann.file(t, "usage", good); resp.StatusCode != http.StatusOK {
		t.Errorf("a viewer: %s %s", resp.Status, text)
	}
}

// TestATokenGetsFiles: a program gets the files that its token's scopes allow, and no other.
func TestATokenGetsFiles(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	d.verified(t)
	program := d.withToken(t, ann.newToken(t, 0, adminv1.Permission_PERMISSION_AUDIT_READ).GetText())
	if resp, text := program.file(t, "audit", nil); resp.StatusCode != http.StatusOK || !strings.Contains(text, ",token.created,") {
		t.Errorf("%s %s", resp.Status, text)
	}
	if at := d.rows(t, `SELECT coalesce(host(last_used_ip), '') FROM api_tokens`); !slices.Equal(at, []string{"127.0.0.1"}) {
		t.Errorf("used at %q", at)
	}
	since := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	if resp, text := program.file(t, "usage", url.Values{"step": {"hour"}, "since": {since}}); resp.StatusCode != http.StatusForbidden || !strings.Contains(text, "usage.read") {
		t.Errorf("%s %s", resp.Status, text)
	}
	if resp, _ := d.withToken(t, "peal_none").file(t, "audit", nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token of nobody: %s", resp.Status)
	}
}
