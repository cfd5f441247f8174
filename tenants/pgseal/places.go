package pgseal

// place is a table in whose rows something is sealed: in the column sealed, with the key-encryption key that the column
// sealed_with names.
type place struct {
	table string
	// id is the column that names a row, by whose text rows are gone through.
	id string
	// about is SQL for what the sealer was told that the secret is about.
	about string
	// tenant is SQL for whose audit log is told; empty where a row is no tenant's.
	tenant string
	// action is what the audit log calls it.
	action string
	// inUse is SQL for whether something does not work without the row's secret.
	inUse string
}

// places are all tables in which something is sealed. Everybody who locks several rows of one goes by the order of id.
func places() []place {
	return []place{
		{
			table: "keys", id: "public",
			about:  "tenant_id::text || '|' || app_id || '|' || public", // as tenants.Sealer.Seal has it
			tenant: "tenant_id", action: "key.resealed",
			inUse: "state = 'active'",
		},
		{
			table: "second_factors", id: "user_id",
			about: "'second factor|' || user_id::text", // as tenants/pgpeople has it
			inUse: "confirmed_at IS NOT NULL",
		},
		{
			table: "outbox", id: "id",
			about: "'mail|' || id::text", // as mail/pgoutbox has it
			inUse: "false",               // A mail waits for minutes, and keeps nobody from anything.
		},
	}
}
