package tenants

// Features are the switches of an app.
type Features struct {
	// ClientEvents lets clients publish to the private and presence channels that they are on.
	ClientEvents bool
	// SubscriptionCount tells subscribers how many they are, but for presence channels, which say more.
	SubscriptionCount bool
	// Watchlist tells signed-in users when the users that they watch come and go.
	Watchlist bool
	// AuthorizedConnections closes a socket that has neither signed in nor joined a private or presence
	// channel within [Limits.AuthorizationTimeout].
	AuthorizedConnections bool
	// TLSOnly refuses sockets and requests that did not come over TLS.
	TLSOnly bool
	// Compression offers permessage-deflate to WebSocket clients. It costs memory for each socket.
	Compression bool
}

// DefaultFeatures returns the switches of an app for which nothing else was said.
func DefaultFeatures() Features { return Features{ClientEvents: true} }

// FeatureField describes one of the switches, so that the places that store or read all of them need no list
// of their own.
type FeatureField struct {
	// Name is the field's name in files, in the database and in errors.
	Name string
	// Of returns where the switch stands.
	Of func(*Features) *bool
}

// FeatureFields returns all switches in the order in which people read them.
func FeatureFields() []FeatureField {
	return []FeatureField{
		{"client_events", func(f *Features) *bool { return &f.ClientEvents }},
		{"subscription_count", func(f *Features) *bool { return &f.SubscriptionCount }},
		{"watchlist", func(f *Features) *bool { return &f.Watchlist }},
		{"authorized_connections", func(f *Features) *bool { return &f.AuthorizedConnections }},
		{"tls_only", func(f *Features) *bool { return &f.TLSOnly }},
		{"compression", func(f *Features) *bool { return &f.Compression }},
	}
}
