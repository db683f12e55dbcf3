package cases

// Entry is a case as a list of cases shows it.
type Entry struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Facility string   `json:"facility"`
	Level    Level    `json:"level"`
	Sources  []string `json:"sources"`
	Covers   []string `json:"covers"`
	Needs    []string `json:"needs"`
	Systems  []string `json:"systems"`
}

// Entries is the list of cases for other programs; no field is null.
func Entries(list []*Case) []Entry {
	entries := make([]Entry, len(list))
	for i, c := range list {
		some := func(s []string) []string { return append([]string{}, s...) }
		entries[i] = Entry{c.ID, c.Title, c.Facility, c.Level, some(c.Sources), some(c.Covers), some(c.Needs), some(c.Systems)}
	}
	return entries
}

// Detail is all that is known of one case, for other programs.
type Detail struct {
	Entry
	Caller   string  `json:"caller"` // what a caller should do
	Expected []Range `json:"expected"`
}

// Range is an expectation for other programs.
type Range struct {
	On    string `json:"on"` // systems and releases, in words
	Facts Want   `json:"facts"`
	Why   string `json:"why,omitempty"`
	Known string `json:"known,omitempty"`
}

// Detailed is a case for other programs.
func Detailed(c *Case) Detail {
	d := Detail{Entry: Entries([]*Case{c})[0], Caller: c.Caller, Expected: []Range{}}
	ranges := c.Ranges()
	for i, x := range c.Expect {
		d.Expected = append(d.Expected, Range{ranges[i], x.Facts, x.Why, x.Known})
	}
	return d
}
