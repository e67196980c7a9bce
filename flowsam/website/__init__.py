"""The site: README, derivations, figures, API, tutorials, report and explorer as linked pages."""
