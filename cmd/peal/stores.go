package main

import (
	"context"

	"github.com/pealhq/peal/mail/pgoutbox"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgaudit"
	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/tenants/pgpeople"
	"github.com/pealhq/peal/tenants/pgplatform"
	"github.com/pealhq/peal/tenants/pgseal"
	"github.com/pealhq/peal/tenants/pgstore"
	"github.com/pealhq/peal/tenants/pgtokens"
)

// stores is the control plane's database and what is kept in it.
type stores struct {
	*pgstore.Store
	people   *pgpeople.Store
	audit    *pgaudit.Store
	tokens   *pgtokens.Store
	platform *pgplatform.Store
	outbox   *pgoutbox.Outbox
	seals    *pgseal.Store
	sealer   *tenants.Sealer
	db       *pgdb.DB
}

// newStores returns stores on a database that may be away and may have another schema. Close it.
func newStores(ctx context.Context, url string, keys keyring) (*stores, error) {
	sealer, err := keys.sealer()
	if err != nil {
		return nil, err
	}
	db, err := pgdb.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	outbox := pgoutbox.New(pgoutbox.Config{DB: db, Sealer: sealer})
	return &stores{
		Store:    pgstore.New(pgstore.Config{DB: db, Sealer: sealer}),
		audit:    pgaudit.New(db),
		people:   pgpeople.New(pgpeople.Config{DB: db, Outbox: outbox, Sealer: sealer}),
		tokens:   pgtokens.New(db),
		platform: pgplatform.New(db),
		outbox:   outbox,
		seals:    pgseal.New(db, sealer),
		sealer:   sealer,
		db:       db,
	}, nil
}

// openStores is newStores on a database whose schema is up to date.
func openStores(ctx context.Context, url string, keys keyring) (*stores, error) {
	s, err := newStores(ctx, url, keys)
	if err != nil {
		return nil, err
	}
	if err := s.db.CheckSchema(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the connections of all of them.
func (s *stores) Close() { s.db.Close() }
