package probe

import "slices"

// all is every feature of every system.
func all() []*Feature {
	return slices.Concat(
		sendfileFeatures,
		sourceFeatures,
		spliceFeatures,
		vmspliceFeatures,
		copyFileRangeFeatures,
		msgZerocopyFeatures,
		ioUringFeatures,
		ktlsFeatures,
		sockmapFeatures,
		familyFeatures,
		pipeFeatures,
		memfdFeatures,
	)
}
