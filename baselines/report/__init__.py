"""What a comparison found, to look at: in the terminal, as a page, as text, as pictures and as a spreadsheet."""
