package cases

import "slices"

// all is every case of every system.
func all() []*Case {
	return slices.Concat(
		sendfileCases, sendfileIdle,
		libraryFileCases, libraryRelayCases, libraryBackendCases,
		spliceFlags,
		spliceOffset,
		splicePipe,
		spliceSize,
		spliceSocket,
		splicePage,
		splicePseudo,
		spliceWait, spliceKept,
		memfdCases,
		copyFileRangeCases, appendCases,
		placeCases, placeCrossCases, placeStressCases, fuseCases, fuseServerCases,
		msgZerocopyCases,
		teeCases,
		vmspliceCases, vmspliceMemory,
		uringSpliceCases, uringChainCases, uringSendCases,
		ktlsSendCases, ktlsReceiveCases,
		sockmapCases,
		libraryFallbackCases, libraryProgressCases,
		libraryConnCases, libraryConnHTTPCases, libraryConnRelayCases,
	)
}
