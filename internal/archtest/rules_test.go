package archtest

// Patterns name packages by their path in this module. A "*" stands for anything within one part of the path, as in
// path.Match; "..." for any number of whole parts, none included: "edge/..." is edge and all below it, ".../pg*" every
// package whose own name begins with pg.

// row says which of our packages some packages may import. What no row lists is forbidden.
type row struct {
	from    string
	imports []string
	because string
}

// ban forbids an import whatever a row says.
type ban struct {
	from    []string
	except  []string // packages that the ban does not bind
	imports []string // of ours by pattern, or of others by full path, where "..." works as well
	through bool     // also by way of other packages
	because string
}

// mayImport is who may import whom: for each package the first row that fits.
var mayImport = []row{
	{"cmd/...", []string{"..."}, "cmd joins everything"},

	{"tenants", nil, "a foundation: who may speak, whatever is said and wherever"},
	{"tenants/pgdb", []string{"tenants", "migrations"}, "how statements reach the database, whatever they say"},
	{"tenants/pgstore", []string{"tenants", "tenants/limits", "tenants/pgdb", "usage"}, "the SQL of the control plane, and nothing else"},
	{"tenants/pgaudit", []string{"tenants", "tenants/pgdb"}, "the SQL that reads the log of changes, and nothing else"},
	{"tenants/pgplatform", []string{"tenants", "tenants/pgdb"}, "the SQL of what operators decide, and nothing else"},
	{"tenants/redislimits", []string{"tenants/limits"}, "how edges share what limits admit, and not for whom"},
	{"tenants/pgpeople", []string{"tenants", "tenants/pgdb", "mail", "mail/pgoutbox"}, "the SQL of who works on the control plane, and the mails that go with a change"},
	{"tenants/pgtokens", []string{"tenants", "tenants/pgdb"}, "the SQL of API tokens, and nothing else"},
	{"tenants/pgseal", []string{"tenants", "tenants/pgdb"}, "what lies sealed in the database, whatever it is"},
	{"tenants/...", []string{"tenants"}, "what serves tenants knows only tenants"},
	{"channels", nil, "a foundation: where a message is heard, whatever it says and whoever sent it"},
	{"channels/...", []string{"channels"}, "what serves channels knows only channels"},
	{"pusher", nil, "a foundation: how it is said, as pure functions"},
	{"usage", nil, "counts what it is told; it asks nobody"},
	{"usage/pgusage", []string{"usage", "tenants", "tenants/pgdb"}, "usage is a tenant's, and its SQL goes by the road of all SQL"},
	{"usage/...", []string{"usage"}, "what serves usage knows only usage"},
	{"mail", nil, "sends what it is given, whoever it is for and whatever it is about"},
	{"mail/pgoutbox", []string{"mail", "tenants", "tenants/pgdb"}, "a mail is written with the change that it tells of, by the road of all SQL"},
	{"migrations", nil, "SQL files and no code"},
	{"dashboard", nil, "serves files; the pages talk to the admin API over the network like any other client"},

	{"edge/publish", []string{"tenants", "tenants/limits", "channels", "pusher", "usage"}, "the one road in stands on the foundations alone"},
	{
		"edge/session",
		[]string{"tenants", "tenants/limits", "channels", "pusher", "usage", "edge/publish"},
		"a conversation stands on the foundations and on the one road in, whatever carries it",
	},
	{"edge/rpc/gen/...", []string{"edge/rpc/gen/..."}, "generated types know nothing of us"},
	door("edge/httpapi"),
	door("edge/rpc"),
	door("edge/socket"),
	door("edge/fallback"),
	{"edge", nil, "edge holds only tests of the doors together"},
	{"webhooks", []string{"tenants", "channels", "pusher", "usage"}, "webhooks stand on the foundations"},
	{"webhooks/...", []string{"webhooks"}, "what serves webhooks knows only webhooks"},

	{"admin-api/gen/...", []string{"admin-api/gen/..."}, "generated types know nothing of us"},
	{
		"admin-api/...",
		[]string{
			"tenants", "tenants/manifest", "tenants/pgstore", "tenants/pgpeople", "tenants/pgtokens", "tenants/pgaudit", "tenants/pgplatform", "usage", "usage/pgusage", "mail",
			"admin-api/...", "internal/requestid",
		},
		"the control plane knows tenants and their store; what it shows of live traffic comes through its own interfaces, " +
			"which cmd fills",
	},

	{
		"bench/...",
		[]string{"bench/...", "pusher"},
		"a load generator that speaks the protocol to any server, and a server to compare with: both know the words and " +
			"nothing of how Peal works",
	},

	{"cli", []string{"admin-api/gen/..."}, "commands are a client of the admin API like any other"},

	{"conformance", nil, "the suite speaks to a running server, and expects what the protocol says and not what our code does"},

	{"test/chaos/ledger", nil, "what may not be is said of what was seen, by whoever saw it"},
	{"test/chaos/proxy", nil, "treats bytes badly, whatever they say"},
	{
		"test/...",
		[]string{"test/...", "bench/loop", "bench/wire", "internal/devstack"},
		"the suite starts the binary and speaks to it as clients do; it expects what is promised and not what our code does",
	},

	{"scripts/...", nil, "tools of the repository; they ship with nothing"},

	{"internal/testenv", []string{"internal/devstack", "migrations"}, "test support knows servers and the schema, not the product"},
	{"internal/...", nil, "support that belongs to no noun knows none"},
}

// door is the row of one of the doors, and of the packages below it.
func door(name string) row {
	return row{
		from: name + "/...",
		imports: []string{
			"tenants", "channels", "pusher", "usage", "edge/session", "edge/publish", "internal/requestid", name + "/...",
		},
		because: "doors share only session and publish: what enters by one leaves by the other",
	}
}

// never is what must not happen even where a row would allow it.
var never = []ban{
	{
		from:    []string{"edge/...", "webhooks", "channels/...", "usage"},
		imports: []string{".../pg*", "github.com/jackc/pgx/..."},
		through: true,
		because: "no SQL on the message path: known apps keep talking while PostgreSQL is away",
	},
	{
		from:    []string{"..."},
		except:  []string{".../pg*", "cmd/...", "internal/devstack", "internal/testenv", "test/..."},
		imports: []string{"github.com/jackc/pgx/..."},
		because: "a technology stays in its room, and the name on the door says so: pgx belongs in packages named pg…",
	},
	{
		from:    []string{"..."},
		except:  []string{".../redis*", "cmd/...", "internal/...", "test/..."},
		imports: []string{"github.com/redis/go-redis/..."},
		because: "a technology stays in its room, and the name on the door says so: go-redis belongs in packages named redis…",
	},
	{
		from:    []string{"..."},
		except:  []string{"admin-api/...", "cli", "cmd/..."},
		imports: []string{"admin-api/gen/..."},
		because: "generated types stop at the border; the inside speaks domain types",
	},
	{
		from:    []string{"..."},
		except:  []string{"channels/bustest", "internal/testenv", "internal/pipenet"},
		imports: []string{"testing", "testing/...", "channels/bustest", "internal/testenv", "internal/pipenet"},
		because: "test code does not ship",
	},
	{
		from:    []string{"..."},
		except:  []string{"test/..."},
		imports: []string{"test/..."},
		because: "test code does not ship",
	},
	{
		from:    []string{"cmd/..."},
		imports: []string{"channels/bustest", "internal/testenv", "internal/pipenet", "test/..."},
		through: true,
		because: "test code does not ship, nor by way of another package",
	},
}

// uncommented are the packages that need no package comment.
var uncommented = []string{
	"admin-api/gen/...", // generated: the comments are in the schema
	"edge/rpc/gen/...",  // generated: the comments are in the schema
}
