"""What a person looks at: tables, figures and one self-contained page, all views of a run's study."""
