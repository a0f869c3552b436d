import fc from 'fast-check'

/**
 * Loaded before all tests: property tests draw the same cases at every run, so that what fails for one fails for all. Another seed draws
 * others: `AMANAT_PROPERTY_SEED=7 npm test`.
 */
fc.configureGlobal({ seed: Number(process.env['AMANAT_PROPERTY_SEED'] ?? 20_261_122) })
