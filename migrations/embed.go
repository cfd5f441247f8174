// Package migrations holds the schema of the control plane: numbered SQL files that only go forward. It
// imports nothing of Peal's. The package tenants/pgstore applies them with goose; start reading at the
// lowest number.
package migrations

import "embed"

// FS holds the SQL files at its root.
//
//go:embed *.sql
var FS embed.FS
