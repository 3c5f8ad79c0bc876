"""Raw frames of trading venues: what a venue says on its wire -> messages -> a book that notices every hole."""
