package cases

// excuse is why no lie changes some facts of a case.
type excuse struct {
	facts []string
	why   string
}

// unchangeable are facts that look after the case itself: they would tell of a
// question that was not asked, not of an answer.
var unchangeable = map[string]excuse{}
